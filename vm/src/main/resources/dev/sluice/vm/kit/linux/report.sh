# What the guest says to the host: one line each on file descriptor 3, the second serial port.
# A line starts with SLUICE- and a kind; values that may hold spaces come last.

CHECKS=0

# info KEY VALUE: a fact worth keeping, not judged.
info() {
    echo "SLUICE-INFO key=$1 value=$2" >&3
}

# stage NAME: how far the guest is, with seconds since its kernel started.
stage() {
    echo "SLUICE-STAGE name=$1 uptime=$(cut -d' ' -f1 /proc/uptime)" >&3
}

# progress DONE TOTAL: bytes, so that the host sees that a long read still moves.
progress() {
    echo "SLUICE-PROGRESS done=$1 total=$2" >&3
}

# wrote OFFSET BYTES SHA256: a range of the disk that was written and flushed.
wrote() {
    echo "SLUICE-WROTE offset=$1 bytes=$2 sha256=$3" >&3
}

pass() {
    CHECKS=$((CHECKS + 1))
    echo "SLUICE-CHECK name=$1 passed=1 detail=$2" >&3
}

fail() {
    CHECKS=$((CHECKS + 1))
    echo "SLUICE-CHECK name=$1 passed=0 detail=$2" >&3
}

# send_log: the kernel's log, each line marked, so that no log line can look like a report.
send_log() {
    dmesg -r | sed 's/^/SLUICE-LOG /' >&3
}

# report_done: the number lets the host see that no check was lost on the way.
report_done() {
    echo "SLUICE-DONE checks=$CHECKS" >&3
    # The line may still wait in the driver, and the power goes next: stty changes nothing here, but the
    # change takes effect only when everything was sent (tcsetattr(3), TCSADRAIN).
    stty -F /dev/ttyS1 raw -echo
}

# fio_result LINE: what fio measured, in its terse format, version 3.
fio_result() {
    echo "SLUICE-FIO $1" >&3
}
