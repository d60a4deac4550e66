# A driver of the test device in user space, over VFIO: it takes a page away from the device while the
# device holds it, and gives the page to somebody else. Twice:
#
# waits:   the device lets go when it is told to, by a second process on the other processor. The unmap
#          must return after that, and meanwhile everything else must go on.
# revokes: the device does not let go. The unmap must return all the same, and the device be refused.
#
#   perl unmap.pl FUNCTION DISK
#
# Prints a line for each: its name, 1 or 0 for passed or failed, and what was found.
#
# Registers and memory are reached by pread(2) and pwrite(2), of the device's file and of /proc/PID/mem,
# so that no more than perl itself is needed.
use strict;

my ($function, $disk) = @ARGV;

# x86-64 system calls.
sub SYS_MMAP() { 9 }
sub SYS_PREAD() { 17 }
sub SYS_PWRITE() { 18 }
sub SYS_FSYNC() { 74 }
sub SYS_SCHED_SETAFFINITY() { 203 }
sub SYS_CLOCK_GETTIME() { 228 }

sub PAGE() { 4096 }
sub MILLISECOND() { 1_000_000 }

# call WHAT, NUMBER, ARGUMENTS: perl passes a number as a number, and of anything else the address; so the
# arguments must not be copied, as the kernel writes into some of them.
sub call {
    my $what = shift;
    my $result = syscall(shift, @_);
    die "$what: $!\n" if $result == -1;
    return $result;
}

# In nanoseconds; monotonic, and the same on all processors.
sub now {
    my $time = pack('q2', 0, 0);
    call('clock_gettime', SYS_CLOCK_GETTIME, 1, $time);
    my ($seconds, $nanos) = unpack('q2', $time);
    return $seconds * 1000 * MILLISECOND + $nanos;
}

sub run_on {
    my $processor = shift;
    call('sched_setaffinity', SYS_SCHED_SETAFFINITY, 0, 8, pack('Q', 1 << $processor));
}

# until_true WHAT, CONDITION: looks again and again, for 5 s at the most.
sub until_true {
    my ($what, $condition) = @_;
    my $limit = now() + 5000 * MILLISECOND;
    until ($condition->()) {
        die "$what did not come true within 5 s\n" if now() > $limit;
        select undef, undef, undef, 0.001;
    }
}

# --- memory, shared by both processes

my $memory;

# Each process opens its own: another's would be the other's memory.
sub open_memory {
    open $memory, '+<', "/proc/$$/mem" or die "/proc/$$/mem: $!\n";
}

sub pages {
    my $count = shift;
    # Readable and writable; shared and anonymous.
    return call('mmap', SYS_MMAP, 0, $count * PAGE, 3, 0x21, -1, 0);
}

sub peek {
    my ($address, $bytes) = @_;
    return unpack("P$bytes", pack('Q', $address));
}

sub poke {
    my ($address, $bytes) = @_;
    call('pwrite of memory', SYS_PWRITE, fileno($memory), $bytes, length($bytes), $address);
}

# How many bytes of a page are not as they should be.
sub wrong_bytes {
    my ($address, $wanted) = @_;
    my $difference = peek($address, PAGE) ^ $wanted;
    return PAGE - ($difference =~ tr/\0//);
}

# Words by which the two processes tell one another how far they are.
my $words = pages(1);
sub READY() { 0 }       # the second process is
sub CALLED() { 1 }      # when unmap was called
sub RETURNED() { 2 }    # when it returned
sub REFILLED() { 3 }    # the page has its new owner's bytes
sub RELEASED() { 4 }    # when the device was told to let go
sub STEPS() { 5 }       # of the other processor while unmap waited
sub FLUSHES() { 6 }     # that the disk completed
sub ELSEWHERE() { 7 }   # bytes that the device wrote to another page

sub noted { return unpack 'Q', peek($words + 8 * $_[0], 8) }
sub note { poke($words + 8 * $_[0], pack('Q', $_[1])) }

# --- VFIO: type 1 container, one group (linux/vfio.h; requests are _IO(';', 100 + n))

sub SET_IOMMU() { 0x3b66 }
sub GROUP_GET_STATUS() { 0x3b67 }
sub GROUP_SET_CONTAINER() { 0x3b68 }
sub GROUP_GET_DEVICE_FD() { 0x3b6a }
sub DEVICE_GET_REGION_INFO() { 0x3b6c }
sub IOMMU_MAP_DMA() { 0x3b71 }
sub IOMMU_UNMAP_DMA() { 0x3b72 }

sub TYPE1_V2() { 3 }
sub VIABLE() { 1 }
sub READ_WRITE() { 3 }
sub BAR_0() { 0 }
sub CONFIG() { 7 }

my ($container, $group, $device);
my ($registers, $config);

# The argument as the kernel left it, and what the call returned.
sub request {
    my ($what, $file, $number, $argument) = @_;
    my $result = ioctl($file, $number, $argument);
    die "$what: $!\n" unless defined $result;
    return ($argument, $result + 0);
}

# Where a region is in the device's file.
sub region {
    # argsz, flags, index, capabilities, bytes, offset
    my $info = pack('L4Q2', 32, 0, shift, 0, 0, 0);
    ($info) = request('VFIO_DEVICE_GET_REGION_INFO', $device, DEVICE_GET_REGION_INFO, $info);
    return (unpack 'L4Q2', $info)[5];
}

sub open_device {
    my $link = readlink "/sys/bus/pci/devices/$function/iommu_group";
    die "$function is in no IOMMU group\n" unless defined $link;
    my ($number) = $link =~ /(\d+)$/;
    open $container, '+<', '/dev/vfio/vfio' or die "/dev/vfio/vfio: $!\n";
    open $group, '+<', "/dev/vfio/$number" or die "/dev/vfio/$number: $!\n";
    my ($status) = request('VFIO_GROUP_GET_STATUS', $group, GROUP_GET_STATUS, pack('L2', 8, 0));
    die "VFIO does not have all of group $number\n" unless (unpack 'L2', $status)[1] & VIABLE;
    request('VFIO_GROUP_SET_CONTAINER', $group, GROUP_SET_CONTAINER, pack('l', fileno $container));
    request('VFIO_SET_IOMMU', $container, SET_IOMMU, TYPE1_V2);
    my (undef, $fd) = request('VFIO_GROUP_GET_DEVICE_FD', $group, GROUP_GET_DEVICE_FD, "$function\0");
    open $device, '+<&=', $fd or die "the device's file: $!\n";
    ($registers, $config) = (region(BAR_0), region(CONFIG));
    # PCI command: memory space, bus master.
    call('PCI command', SYS_PWRITE, $fd, pack('S', 6), 2, $config + 4);
}

sub map_page {
    my ($address, $iova) = @_;
    # argsz, flags, address, IOVA, bytes
    my $what = pack('L2Q3', 32, READ_WRITE, $address, $iova, PAGE);
    request('VFIO_IOMMU_MAP_DMA', $container, IOMMU_MAP_DMA, $what);
}

sub unmap_page {
    my $iova = shift;
    # argsz, flags, IOVA, bytes
    my $what = pack('L2Q2', 24, 0, $iova, PAGE);
    ($what) = request('VFIO_IOMMU_UNMAP_DMA', $container, IOMMU_UNMAP_DMA, $what);
    die "the unmap took nothing away\n" unless (unpack 'L2Q2', $what)[3] == PAGE;
}

# --- the test device (docs/devices.md)

sub FIRST() { 0 }
sub SECOND() { 0x800 }
sub STATUS() { 0x04 }
sub CONTROL() { 0x08 }
sub OPERATION() { 0x0c }
sub IOVA() { 0x10 }
sub LENGTH() { 0x18 }
sub HOLD() { 0x24 }
sub SEED() { 0x28 }
sub VECTOR() { 0x2c }
sub MOVED() { 0x40 }
sub ABORT_REASON() { 0x48 }

sub DONE() { 2 }
sub HOLDING() { 16 }
sub START() { 1 }
sub RELEASE() { 2 }
sub WRITE() { 2 }
sub UNTIL_RELEASED() { 0xffffffff }
sub NO_VECTOR() { 0xffffffff }
sub REVOKED() { 32 }

sub get {
    my $value = pack('L', 0);
    call('a register', SYS_PREAD, fileno($device), $value, 4, $registers + shift);
    return unpack 'L', $value;
}

sub set {
    my ($register, $value) = @_;
    call('a register', SYS_PWRITE, fileno($device), pack('L', $value), 4, $registers + $register);
}

# Everything of a write of a page but its start.
sub prepare_write {
    my ($channel, $iova, $seed, $hold) = @_;
    set($channel + OPERATION, WRITE);
    set($channel + IOVA, $iova & 0xffffffff);
    set($channel + IOVA + 4, $iova >> 32);
    set($channel + LENGTH, PAGE);
    set($channel + HOLD, $hold);
    set($channel + SEED, $seed);
    set($channel + VECTOR, NO_VECTOR);
}

# What a write leaves in a page.
sub pattern {
    my $seed = shift;
    return join '', map { chr(($seed + $_) & 0xff) } 0 .. PAGE - 1;
}

# --- the test

# Above 4 GiB, so that both halves of the registers count.
sub HELD_IOVA() { 1 << 32 }
sub OTHER_IOVA() { 2 << 32 }
sub HELD_SEED() { 7 }
sub OTHER_SEED() { 100 }

sub COUNT_FOR() { 10 * MILLISECOND }
# Long enough for the call to reach the IOMMU, and well below the time after which that would revoke.
sub HOLD_AT_LEAST() { 100 * MILLISECOND }
sub FLUSH_FOR() { 200 * MILLISECOND }
sub ATTEMPTS() { 5 }

my $page = pages(2);
my $other = $page + PAGE;
my $owners_bytes = pattern(128) ^ ("\x55" x PAGE);

# The second process: while the unmap waits on one processor, it uses everything else from the other, and
# then lets the device go. Flushes stand for the disk, since they need no memory of the kernel's mapped: an
# unmap of the disk's own would queue up behind the one that waits, as VT-d's queue demands (6.5.2.8).
sub meanwhile {
    run_on(1);
    alarm 20;
    open_memory();
    my $file;
    open $file, '<', $disk or die "$disk: $!\n" if $disk;
    prepare_write(SECOND, OTHER_IOVA, OTHER_SEED, 0);
    note(READY, 1);
    until_true('the unmap', sub { noted(CALLED) });
    my ($steps, $began) = (0, now());
    do { $steps++ } until now() > $began + COUNT_FOR;
    set(SECOND + CONTROL, START);
    until_true('the end of the other write', sub { get(SECOND + STATUS) & DONE });
    note(ELSEWHERE, PAGE - wrong_bytes($other, pattern(OTHER_SEED)));
    for my $flushes ($file ? 1 .. 5 : ()) {
        call('flush of the disk', SYS_FSYNC, fileno $file);
        note(FLUSHES, $flushes);
        # Each is an fsync on the host, whose disk may take its time: no mapping is held for that long.
        last if now() > noted(CALLED) + FLUSH_FOR;
    }
    $steps++ until noted(RETURNED) or now() > noted(CALLED) + HOLD_AT_LEAST;
    note(STEPS, $steps);
    # An unmap that did not wait: the page has its new owner before the device writes to it.
    until_true('the new owner', sub { noted(REFILLED) }) if noted(RETURNED);
    note(RELEASED, now());
    set(FIRST + CONTROL, RELEASE);
}

sub start_meanwhile {
    my $child = fork;
    die "fork: $!\n" unless defined $child;
    return $child if $child;
    exit 0 if eval { meanwhile(); 1 };
    print STDERR $@;
    exit 1;
}

# Has the device hold the page, takes the page away, gives it to its new owner, lets the device write.
# Returns what the device and the page were like when the unmap returned, and what became of them.
sub take_away {
    my $second = shift;
    my %found;
    poke($words, "\0" x PAGE);
    poke($page, "\0" x (2 * PAGE));
    map_page($page, HELD_IOVA);
    my $child = $second ? start_meanwhile() : 0;
    until_true('the second process', sub { noted(READY) }) if $child;
    prepare_write(FIRST, HELD_IOVA, HELD_SEED, UNTIL_RELEASED);
    set(FIRST + CONTROL, START);
    until_true('the hold', sub { get(FIRST + STATUS) & HOLDING });

    my $called = now();
    note(CALLED, $called);
    unmap_page(HELD_IOVA);
    $found{returned} = now();
    $found{millis} = ($found{returned} - $called) / MILLISECOND;
    $found{holding} = get(FIRST + STATUS) & HOLDING;
    $found{unwritten} = wrong_bytes($page, pattern(HELD_SEED));
    note(RETURNED, $found{returned});
    poke($page, $owners_bytes);
    note(REFILLED, 1);

    if ($child) {
        waitpid $child, 0;
        die "the second process failed\n" if $?;
    } else {
        set(FIRST + CONTROL, RELEASE);
    }
    until_true('the end of the write', sub { get(FIRST + STATUS) & DONE });
    $found{reason} = get(FIRST + ABORT_REASON);
    $found{moved} = get(FIRST + MOVED);
    $found{corrupted} = wrong_bytes($page, $owners_bytes);
    die "the unmap returned while the device held the page, and the device then overwrote "
        . "$found{corrupted} bytes of the page's new owner\n" if $found{corrupted};
    return %found;
}

sub waits {
    my %found;
    for (1 .. ATTEMPTS) {
        %found = take_away(1);
        # Revoked: this machine is so busy that the second process came too late.
        last unless $found{reason} == REVOKED;
    }
    die "the device's write was refused for reason $found{reason}\n" if $found{reason};
    die "the unmap returned while the device held the page\n"
        if $found{holding} or $found{returned} < noted(RELEASED);
    die "when the unmap returned, the device had yet to write $found{unwritten} bytes\n" if $found{unwritten};
    die "meanwhile the device wrote only ${\noted(ELSEWHERE)} bytes of its other page\n"
        unless noted(ELSEWHERE) == PAGE;
    return sprintf 'waited %.0f ms for the device; meanwhile it wrote %d bytes elsewhere, the disk completed'
        . ' %d flushes and the other processor made %d steps',
        $found{millis}, noted(ELSEWHERE), noted(FLUSHES), noted(STEPS);
}

sub revokes {
    my %found = take_away(0);
    die "the unmap returned while the device held the page, and the device was not told\n"
        unless $found{reason} == REVOKED;
    die "$found{moved} bytes were moved through a mapping that was gone\n" if $found{moved};
    return sprintf 'returned after %.0f ms, the device was told that its mapping is gone, and the page kept'
        . ' its new bytes', $found{millis};
}

$| = 1;
alarm 30;
run_on(0);
open_memory();
my $opened = eval { open_device(); map_page($other, OTHER_IOVA); 1 };
my $problem = $@;
for my $case (['waits', \&waits], ['revokes', \&revokes]) {
    my ($name, $run) = @$case;
    my $detail = $opened ? eval { $run->() } : undef;
    my $passed = defined $detail ? 1 : 0;
    chomp($detail = $opened ? $@ : $problem) unless $passed;
    print "$name $passed $detail\n";
}
