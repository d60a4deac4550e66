# Makes the test device do one DMA to a page that the kernel left alone (memmap=) and never mapped for
# the device, and looks at what became of it. The register accesses come from /sluice/test-device.regs:
#   write WIDTH OFFSET VALUE              one store to BAR 0 (WIDTH 8, 16, 32 or 64 bits)
#   poll WIDTH OFFSET MASK WANTED MILLIS  loads until (value & MASK) == WANTED

run_registers() {
    while read -r verb width offset rest; do
        address=$(printf '0x%x' $((BAR + offset)))
        case $verb in
            write)
                devmem "$address" "$width" "$rest" || return 1
                ;;
            poll)
                poll_register "$address" "$width" $rest || return 1
                ;;
        esac
    done </sluice/test-device.regs
}

# poll_register ADDRESS WIDTH MASK WANTED MILLIS
poll_register() {
    left=$5
    while :; do
        value=$(devmem "$1" "$2") || return 1
        [ $((value & $3)) = $(($4)) ] && return 0
        if [ "$left" -le 0 ]; then
            PROBLEM="register $1 is $value after $5 ms, $4 under mask $3 was expected"
            return 1
        fi
        usleep 10000
        left=$((left - 10))
    done
}

canary_sum() {
    dd if=/dev/mem bs=$PAGE skip=$((CANARY / PAGE)) count=1 2>/dev/null | sha256sum | cut -d' ' -f1
}

# start_dma: lets the device decode its BAR and master the bus, fills the canary, plays the registers.
start_dma() {
    device=/sys/bus/pci/devices/$TEST_DEVICE
    PROBLEM="the registers could not be accessed"
    echo 1 >"$device/enable" || return 1
    printf '\006\000' | dd of="$device/config" bs=2 seek=2 conv=notrunc 2>/dev/null || return 1
    BAR=$(head -n 1 "$device/resource" | cut -d' ' -f1)
    dd if=/dev/urandom of=/dev/mem bs=$PAGE seek=$((CANARY / PAGE)) count=1 conv=notrunc 2>/tmp/dd.err || {
        PROBLEM="the canary page $CANARY cannot be written: $(head -n 1 /tmp/dd.err)"
        return 1
    }
    BEFORE=$(canary_sum)
    run_registers
}

# faults PATTERN: the IOMMU driver's fault lines. Kernels write the source as [00:05.0], [0x00:0x05.0] or
# [0000:00:05.0]; all become [00:05.0].
faults() {
    dmesg | grep -E 'DMAR: \[(DMA|INTR-REMAP)' |
        sed -E -e 's/^\[[^]]*\] *//' -e 's/device \[0x/device [/' -e 's/device \[([0-9a-f]+):0x/device [\1:/' \
            -e 's/device \[[0-9a-f]{4}:/device [/'
}

# wait_fault: waits up to 5 s for the IOMMU driver's line about the test device.
wait_fault() {
    tries=0
    while [ $tries -lt 25 ]; do
        line=$(faults | grep -F -m 1 "device [${TEST_DEVICE#*:}]")
        [ -n "$line" ] && return
        usleep 200000
        tries=$((tries + 1))
    done
}

check_test_device() {
    if [ ! -e "/sys/bus/pci/devices/$TEST_DEVICE" ]; then
        fail test-device "there is no PCI function $TEST_DEVICE"
        return
    fi
    if ! start_dma; then
        fail test-device "$PROBLEM"
        return
    fi
    pass test-device "the DMA to $CANARY was started and ended"
    stage test-dma
    AFTER=$(canary_sum)
    if [ "$IOMMU" = none ]; then
        check_canary_changed
    else
        check_canary_unchanged
        check_fault
    fi
}

check_canary_changed() {
    if [ "$BEFORE" != "$AFTER" ]; then
        pass dma-arrived "without an IOMMU the DMA changed $CANARY"
    else
        fail dma-arrived "without an IOMMU the DMA did not change $CANARY"
    fi
}

check_canary_unchanged() {
    if [ "$BEFORE" = "$AFTER" ]; then
        pass dma-blocked "the page at $CANARY is unchanged"
    else
        fail dma-blocked "the page at $CANARY was changed by a DMA that was never mapped"
    fi
}

check_fault() {
    wait_fault
    address=$(printf '0x%x' $((CANARY)))
    others=$(faults | grep -v -F -m 1 "device [${TEST_DEVICE#*:}]")
    if [ -z "$line" ]; then
        fail dma-fault "no DMAR fault of $TEST_DEVICE in the kernel's log within 5 s"
        return
    fi
    if [ -n "$others" ]; then
        fail dma-fault "a DMAR fault of another device: $others"
        return
    fi
    case $line in
        *"[DMA $FAULT_KIND "*"fault addr $address [fault reason $FAULT_REASON]"*) pass dma-fault "$line" ;;
        *) fail dma-fault "expected a $FAULT_KIND at $address with reason $FAULT_REASON: $line" ;;
    esac
}
