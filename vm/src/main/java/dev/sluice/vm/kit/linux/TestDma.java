package dev.sluice.vm.kit.linux;

import dev.sluice.iommu.RequesterId;
import java.util.List;

/// The deliberate mistake of a boot: one DMA of the test device to an address that no driver
/// mapped.
///
/// The address is that of a *canary* page, which the kernel's command line takes away from Linux
/// (`memmap=`), so that the guest can fill it, start the DMA and see that it did not change. With
/// an IOMMU the DMA must fault and leave the page alone; without one it must change the page, which
/// shows that the page would have noticed.
///
/// @param slot where the test device is
/// @param canary guest-physical address of the page, 4 KiB aligned, inside RAM; also the DMA's IOVA
/// @param access what the device does there; the canary can only notice a write
/// @param faultReason the code that Linux must print, such as 0x05 (VT-d 4.1, 7.1.3, table 30: a
///   write that no second-stage entry permits)
/// @param steps the register accesses that start the DMA and wait for its end
public record TestDma(
    RequesterId slot, long canary, Access access, int faultReason, List<RegisterStep> steps) {
  /// Size of the canary page in bytes.
  public static final int CANARY_BYTES = 4096;

  /// Direction of the DMA, seen from memory.
  public enum Access {
    /// The device reads memory.
    READ("Read"),
    /// The device writes memory.
    WRITE("Write");

    private final String linuxWord;

    Access(String linuxWord) {
      this.linuxWord = linuxWord;
    }

    /// The word in Linux's fault line.
    String linuxWord() {
      return linuxWord;
    }
  }

  /// @throws IllegalArgumentException if the canary is not page-aligned, or the reason is not a
  ///   byte
  public TestDma {
    if (canary <= 0 || canary % CANARY_BYTES != 0) {
      throw new IllegalArgumentException("canary at 0x" + Long.toHexString(canary));
    }
    if (faultReason < 0 || faultReason > 0xff) {
      throw new IllegalArgumentException("fault reason " + faultReason);
    }
    steps = List.copyOf(steps);
  }

  /// The kernel's command line option that keeps Linux away from the canary. The page is `Reserved`
  /// then, not `System RAM`, which is also what lets `/dev/mem` reach it under `STRICT_DEVMEM`.
  String kernelArgument() {
    return "memmap=" + CANARY_BYTES + "$0x" + Long.toHexString(canary);
  }
}
