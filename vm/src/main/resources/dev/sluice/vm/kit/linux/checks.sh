# The checks. Each one says pass or fail exactly once, with the reason in words.
# Parameters: see GuestParameters in the host's sources.

DISK=
PAGE=4096

load_modules() {
    while read -r module; do
        insmod "/modules/$module" || info module-failed "$module"
    done </modules/order
}

run_checks() {
    if [ "$IOMMU" = none ]; then
        check_no_iommu
    else
        check_dmar_unit
        check_queued_invalidation
    fi
    if check_disk_found; then
        [ "$IOMMU" = none ] || check_iommu_group
        check_disk_read
        [ -z "$WRITES" ] || check_disk_write
        check_rebind
    fi
    [ -z "$TEST_DEVICE" ] || check_test_device
    [ -z "$HOLDER" ] || check_unmap
    check_kernel_log
    stage checked
}

# log_line PATTERN: prints the first line of the kernel's log that matches, without its time.
log_line() {
    dmesg | grep -E -m 1 "$1" | sed 's/^\[[^]]*\] *//'
}

check_dmar_unit() {
    line=$(log_line 'DMAR: dmar[0-9]+: reg_base_addr')
    if [ -n "$line" ]; then pass dmar-unit "$line"; else fail dmar-unit "the kernel's log names no DMAR unit"; fi
}

check_queued_invalidation() {
    line=$(log_line 'DMAR: .*Using Queued invalidation')
    if [ -n "$line" ]; then
        pass queued-invalidation "$line"
    else
        fail queued-invalidation "the kernel's log does not say that it uses queued invalidation"
    fi
}

check_no_iommu() {
    if [ -e "/sys/bus/pci/devices/$DISK_DEVICE/iommu_group" ]; then
        fail no-iommu "$DISK_DEVICE is in an IOMMU group, but no IOMMU was asked for"
    else
        pass no-iommu "$DISK_DEVICE is in no IOMMU group"
    fi
}

# find_disk: waits up to 10 s for the block device of the NVMe controller at DISK_DEVICE.
find_disk() {
    tries=0
    while [ $tries -lt 200 ]; do
        for path in /sys/bus/pci/devices/"$DISK_DEVICE"/nvme/nvme*/nvme*n*; do
            [ -b "/dev/${path##*/}" ] && DISK=/dev/${path##*/} && return 0
        done
        usleep 50000
        tries=$((tries + 1))
    done
    DISK=
    return 1
}

check_disk_found() {
    if ! find_disk; then
        fail disk-found "no NVMe namespace of $DISK_DEVICE within 10 s"
        return 1
    fi
    stage disk-found
    bytes=$(blockdev --getsize64 "$DISK")
    if [ "$bytes" = "$DISK_BYTES" ]; then
        pass disk-found "$DISK at $DISK_DEVICE has $bytes bytes"
    else
        fail disk-found "$DISK has $bytes bytes, expected $DISK_BYTES"
    fi
    return 0
}

check_iommu_group() {
    case $INVALIDATION in
        strict) wanted=DMA ;;
        lazy) wanted=DMA-FQ ;;
    esac
    group=/sys/bus/pci/devices/$DISK_DEVICE/iommu_group
    if [ ! -e "$group" ]; then
        fail iommu-group "$DISK_DEVICE is in no IOMMU group"
        return
    fi
    type=$(cat "$group/type")
    number=$(readlink "$group")
    if [ "$type" = "$wanted" ]; then
        pass iommu-group "$DISK_DEVICE is in group ${number##*/} of type $type ($INVALIDATION invalidation)"
    else
        fail iommu-group "$DISK_DEVICE is in group ${number##*/} of type $type, expected $wanted"
    fi
}

# disk_stream: the whole disk to standard output, past the page cache, 16 MiB between two progress lines.
disk_stream() {
    total=$((($DISK_BYTES + 1048575) / 1048576))
    at=0
    while [ $at -lt $total ]; do
        dd if="$DISK" iflag=direct bs=1M skip=$at count=16 2>/tmp/dd.err || cat /tmp/dd.err >>/tmp/read.err
        at=$((at + 16))
        progress $((at < total ? at * 1048576 : DISK_BYTES)) "$DISK_BYTES"
    done
}

check_disk_read() {
    : >/tmp/read.err
    sum=$(disk_stream | sha256sum | cut -d' ' -f1)
    if [ -s /tmp/read.err ]; then
        fail disk-read "reading $DISK failed: $(head -n 1 /tmp/read.err)"
    elif [ "$sum" = "$DISK_SHA256" ]; then
        pass disk-read "$DISK_BYTES bytes have sha256 $sum"
    else
        fail disk-read "$DISK_BYTES bytes have sha256 $sum, expected $DISK_SHA256"
    fi
    stage disk-read
}

# range_sum OFFSET BYTES BLOCK: sha256 of a range of the disk as the device has it now.
range_sum() {
    dd if="$DISK" iflag=direct bs="$3" skip=$(($1 / $3)) count=$(($2 / $3)) 2>/dev/null | sha256sum | cut -d' ' -f1
}

# each_write COMMAND: calls COMMAND OFFSET BYTES BLOCK MODE for each entry of WRITES.
each_write() {
    for entry in $WRITES; do
        IFS=, read -r offset bytes block mode <<END
$entry
END
        "$1" "$offset" "$bytes" "$block" "$mode" || return 1
    done
}

write_range() {
    dd if=/dev/urandom of=/tmp/data bs="$3" count=$(($2 / $3)) 2>/dev/null
    flag=
    [ "$4" = buffered ] || flag=oflag=direct
    if ! dd if=/tmp/data of="$DISK" bs="$3" seek=$(($1 / $3)) conv=notrunc,fsync $flag 2>/tmp/dd.err; then
        PROBLEM="writing $2 bytes at $1: $(head -n 1 /tmp/dd.err)"
        return 1
    fi
    sum=$(sha256sum </tmp/data | cut -d' ' -f1)
    echo "$1 $2 $3 $sum" >>/tmp/written
    wrote "$1" "$2" "$sum"
}

# written_intact: reads back every range that was written; says in PROBLEM which one differs.
written_intact() {
    while read -r offset bytes block expected; do
        sum=$(range_sum "$offset" "$bytes" "$block")
        if [ "$sum" != "$expected" ]; then
            PROBLEM="$bytes bytes at $offset read back with sha256 $sum, $expected was written"
            return 1
        fi
    done </tmp/written
}

check_disk_write() {
    : >/tmp/written
    if ! each_write write_range; then
        fail disk-write "$PROBLEM"
        return
    fi
    sync
    blockdev --flushbufs "$DISK"
    echo 3 >/proc/sys/vm/drop_caches
    if written_intact; then
        pass disk-write "$(wc -l </tmp/written) ranges written, flushed and read back"
    else
        fail disk-write "$PROBLEM"
    fi
    stage disk-write
}

check_rebind() {
    driver=/sys/bus/pci/drivers/nvme
    before=$(range_sum 0 $PAGE $PAGE)
    if ! echo "$DISK_DEVICE" >$driver/unbind; then
        fail rebind "the driver could not be unbound"
        return
    fi
    if [ -e "$DISK" ]; then
        fail rebind "$DISK is still there after its driver was unbound"
        return
    fi
    if ! echo "$DISK_DEVICE" >$driver/bind || ! find_disk; then
        fail rebind "the driver could not be bound again"
        return
    fi
    after=$(range_sum 0 $PAGE $PAGE)
    if [ "$before" != "$after" ]; then
        fail rebind "the first $PAGE bytes had sha256 $before, and $after after binding again"
    elif [ -e /tmp/written ] && ! written_intact; then
        fail rebind "$PROBLEM"
    else
        pass rebind "unbound, bound again as $DISK, same contents"
    fi
    stage rebind
}

# driver_noise: what the IOMMU and NVMe drivers logged at warning level or worse, without the fault that
# the test device was told to cause and the line that announces it.
driver_noise() {
    dmesg -r | grep -E '^<[0-9]*[0-4]>' | grep -E -i 'DMAR|iommu|nvme' >/tmp/noise
    if [ -n "$TEST_DEVICE" ]; then
        grep -v -E "DMAR: DRHD: handling fault status|DMAR: \[DMA .*[:\[](0x)?${TEST_DEVICE#*:*:}\]" /tmp/noise
    else
        cat /tmp/noise
    fi
}

# check_kernel_log: no splat at all, and nothing at warning level or worse from the drivers under test.
check_kernel_log() {
    splat=$(log_line 'cut here|WARNING:|BUG:|Oops|general protection|Call Trace|blocked for more than|I/O error|I/O timeout')
    noise=$(driver_noise | head -n 1)
    # Bit 7: an oops or BUG; bit 9: a warning (kernel documentation, admin-guide/tainted-kernels).
    taint=$(($(cat /proc/sys/kernel/tainted) & (1 << 7 | 1 << 9)))
    if [ -n "$splat" ]; then
        fail kernel-log "$splat"
    elif [ -n "$noise" ]; then
        fail kernel-log "$noise"
    elif [ $taint != 0 ]; then
        fail kernel-log "the kernel is tainted by a warning or an oops ($taint)"
    else
        pass kernel-log "no splat, no warning of the IOMMU or NVMe driver"
    fi
}
