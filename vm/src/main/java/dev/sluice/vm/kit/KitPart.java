package dev.sluice.vm.kit;

/// What of a kit can come from the cache.
enum KitPart {
  /// With its libraries and firmware: 38 MB downloaded, 175 MB unpacked.
  QEMU("QEMU", 250L << 20),
  /// With all its modules: 122 MB downloaded, as much unpacked.
  KERNEL("a guest kernel", 280L << 20),
  /// 1 MB downloaded, 2 MB unpacked.
  BUSYBOX("busybox", 20L << 20),
  /// With its libraries: 5 MB downloaded, most of which QEMU needs too, and 23 MB unpacked.
  PERL("perl", 50L << 20),
  /// With its libraries, which are those of every storage that it knows: 45 MB downloaded, 140 MB
  /// unpacked. Only for a benchmark.
  FIO("fio", 220L << 20);

  private final String words;
  private final long diskBytes;

  KitPart(String words, long diskBytes) {
    this.words = words;
    this.diskBytes = diskBytes;
  }

  /// Room that it takes in the cache, downloaded and unpacked, rounded up.
  long diskBytes() {
    return diskBytes;
  }

  /// For a progress line.
  String words() {
    return words;
  }
}
