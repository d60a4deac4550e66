package dev.sluice.models;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.Iommu;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.random.RandomGenerator;

/// Devices that access anything in every way, and hold what they are given.
public final class HostileDevices {
  /// The most mappings that they hold.
  private static final int HELD = 5;

  private final Iommu iommu;
  private final int longestFill;
  private final int longestMapping;
  private final Queue<Mapping> held = new ArrayDeque<>();

  /// @param iommu before all of them
  /// @param longestFill in bytes, exclusive
  /// @param longestMapping in bytes
  public HostileDevices(Iommu iommu, int longestFill, int longestMapping) {
    this.iommu = iommu;
    this.longestFill = longestFill;
    this.longestMapping = longestMapping;
  }

  /// An access of any kind.
  public void access(DmaContext device, long iova, RandomGenerator random) {
    QuickWalkChecks.assertAgrees(iommu, device.endpoint(), iova);
    switch (random.nextInt(4)) {
      case 0 -> device.fill(iova, random.nextInt(longestFill), (byte) 3);
      case 1 -> device.load(iova, 8, ByteOrder.LITTLE_ENDIAN, new Word());
      case 2 -> device.store(iova, 4, ByteOrder.LITTLE_ENDIAN, random.nextLong());
      default -> device.fetchAndAdd(iova, 4, ByteOrder.LITTLE_ENDIAN, 1, new Word());
    }
  }

  /// A mapping that is held until others have come.
  public void hold(DmaContext device, long iova, RandomGenerator random) {
    if (held.size() >= HELD) {
      held.remove().close();
    }
    MapResult result = device.map(iova, 1 + random.nextInt(longestMapping), Access.READ);
    if (result instanceof Mapping mapping) {
      held.add(mapping);
    }
  }

  /// Lets go of everything.
  public void letGo() {
    held.forEach(Mapping::close);
    held.clear();
  }
}
