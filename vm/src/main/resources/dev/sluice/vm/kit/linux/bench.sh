# Measures the disk with fio, in the place of a boot's checks: takes over run_checks from checks.sh.
# Parameters: see BenchParameters in the host's sources. A workload is NAME,PATTERN,BLOCK,DEPTH.

run_checks() {
    if [ "$IOMMU" = none ]; then
        check_no_iommu
    else
        check_dmar_unit
        check_queued_invalidation
    fi
    if check_disk_found; then
        [ "$IOMMU" = none ] || check_iommu_group
        check_workloads
    fi
    check_kernel_log
    stage checked
}

check_workloads() {
    info fio "$($FIO --version)"
    count=0
    for workload in $WORKLOADS; do
        IFS=, read -r name pattern block depth <<END
$workload
END
        if ! run_workload "$name" "$pattern" "$block" "$depth"; then
            fail workloads "$PROBLEM"
            return
        fi
        count=$((count + 1))
    done
    pass workloads "$count workloads ran"
}

# run_workload NAME PATTERN BLOCK DEPTH: what the disk completed and how often it interrupted is counted
# from fio's start to its end, its warm-up included; what fio tells begins after the warm-up.
run_workload() {
    ios=$(completed)
    irqs=$(interrupts)
    stage "$1-began"
    if ! $FIO --name="$1" --filename="$DISK" --rw="$2" --bs="$3" --iodepth="$4" --ioengine=libaio --direct=1 \
        --time_based --runtime="$MEASURED" --ramp_time="$WARM_UP" --randrepeat=1 --norandommap=1 \
        --clat_percentiles=0 --lat_percentiles=1 --percentile_list=50:99:99.9 \
        --output-format=terse --terse-version=3 >/tmp/fio.out 2>/tmp/fio.err; then
        PROBLEM="fio failed in $1: $(head -n 1 /tmp/fio.err)"
        return 1
    fi
    stage "$1-ended"
    info "$1-ios" $(($(completed) - ios))
    info "$1-interrupts" $(($(interrupts) - irqs))
    fio_result "$(grep -m 1 '^3;' /tmp/fio.out)"
}

# completed: reads and writes that the disk has completed (kernel documentation, block/stat).
completed() {
    read -r reads _ _ _ writes _ <"/sys/block/${DISK##*/}/stat"
    echo $((reads + writes))
}

# interrupts: of all vectors of NVMe, on all processors.
interrupts() {
    sum=0
    for count_of_one in $(grep nvme /proc/interrupts | sed -e 's/^ *[0-9]*://' -e 's/[A-Z].*//'); do
        sum=$((sum + count_of_one))
    done
    echo $sum
}
