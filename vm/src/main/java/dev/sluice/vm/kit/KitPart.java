package dev.sluice.vm.kit;

/// What of a kit can come from the cache.
enum KitPart {
  QEMU("QEMU"),
  KERNEL("a guest kernel"),
  BUSYBOX("busybox");

  private final String words;

  KitPart(String words) {
    this.words = words;
  }

  /// For a progress line.
  String words() {
    return words;
  }
}
