# Gives the test device to a driver in user space, which takes a page away from it while the device
# holds the page: see unmap.pl.

# bind_vfio: puts vfio-pci in front of the test device.
bind_vfio() {
    # Without interrupt remapping VFIO wants to hear that its user is trusted.
    echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts &&
        echo vfio-pci >"/sys/bus/pci/devices/$HOLDER/driver_override" &&
        echo "$HOLDER" >/sys/bus/pci/drivers_probe &&
        [ -e "/sys/bus/pci/drivers/vfio-pci/$HOLDER" ]
}

# unmap_result NAME: reports the driver's line about a case; one that is missing has failed.
unmap_result() {
    while read -r name passed detail; do
        [ "$name" = "$1" ] || continue
        if [ "$passed" = 1 ]; then pass "unmap-$1" "$detail"; else fail "unmap-$1" "$detail"; fi
        return
    done </tmp/unmap
    fail "unmap-$1" "$PROBLEM"
}

check_unmap() {
    : >/tmp/unmap
    if bind_vfio 2>/tmp/unmap.err; then
        perl /sluice/unmap.pl "$HOLDER" "$DISK" >/tmp/unmap 2>/tmp/unmap.err
        PROBLEM="the driver in user space ended early: $(head -n 1 /tmp/unmap.err)"
    else
        PROBLEM="VFIO could not be put in front of $HOLDER: $(head -n 1 /tmp/unmap.err)"
    fi
    unmap_result waits
    unmap_result revokes
    stage unmap
}
