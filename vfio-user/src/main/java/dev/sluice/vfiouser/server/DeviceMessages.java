package dev.sluice.vfiouser.server;

import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.wire.DeviceInfo;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import dev.sluice.vfiouser.wire.RegionInfo;
import dev.sluice.vfiouser.wire.RegionIoFds;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/// What a client asks about the function as a whole, and its reset.
final class DeviceMessages {
  private final PciFunction function;
  private final Regions regions;
  private final Supplier<Completion> completions;

  DeviceMessages(PciFunction function, Regions regions, Supplier<Completion> completions) {
    this.function = function;
    this.regions = regions;
    this.completions = completions;
  }

  /// Serves DEVICE_GET_INFO.
  void info(MemorySegment request, Reply reply) throws MalformedMessageException {
    DeviceInfo.check(request);
    reply.succeed(DeviceInfo.putReply(reply.message(), RegionIndex.COUNT, IrqIndex.COUNT));
  }

  /// Serves DEVICE_GET_REGION_INFO.
  void regionInfo(MemorySegment request, Reply reply) throws MalformedMessageException {
    RegionInfo.check(request);
    int index = known(RegionInfo.index(request));
    reply.succeed(RegionInfo.putReply(reply.message(), index, regions.size(index)));
  }

  /// Serves DEVICE_GET_REGION_IO_FDS: there are none.
  void regionIoFds(MemorySegment request, Reply reply) throws MalformedMessageException {
    RegionIoFds.check(request);
    int index = known(RegionIoFds.index(request));
    reply.succeed(RegionIoFds.putReply(reply.message(), index));
  }

  /// Serves DEVICE_RESET. The answer waits until nothing of the device's work from before it goes
  /// on.
  void reset(Reply reply) {
    Completion ended = completions.get();
    function.reset(ended);
    if (!ended.isDone()) {
      reply.after(ended);
    }
  }

  private static int known(int index) throws MalformedMessageException {
    if (index < 0 || index >= RegionIndex.COUNT) {
      throw new MalformedMessageException("there is no region " + Integer.toUnsignedString(index));
    }
    return index;
  }
}
