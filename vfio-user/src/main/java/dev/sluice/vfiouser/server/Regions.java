package dev.sluice.vfiouser.server;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.PciFunction;
import dev.sluice.vfiouser.wire.MalformedMessageException;
import dev.sluice.vfiouser.wire.RegionAccess;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The function's regions, and REGION_READ and REGION_WRITE on them.
///
/// An access is cut into pieces of 8, 4, 2 or 1 bytes that are naturally aligned, in rising order,
/// as a bus would. An access within a region always succeeds, because Cloud Hypervisor waits for
/// the rest of an error reply for ever: when the device's code throws, a read gives ones and a
/// write goes nowhere, as with a function that does not answer on the bus.
final class Regions {
  private static final int LARGEST_PIECE = 8;

  private final ConfigSpace config;
  private final @Nullable Bar[] bars = new Bar[Bar.COUNT];
  private final Runnable configWritten;
  private final Consumer<Throwable> failures;
  private final Traffic traffic;

  /// @param configWritten runs after a write to configuration space
  /// @param failures told what the device's code throws
  /// @param traffic counts accesses
  Regions(
      PciFunction function, Runnable configWritten, Consumer<Throwable> failures, Traffic traffic) {
    config = function.config();
    for (int i = 0; i < Bar.COUNT; i++) {
      bars[i] = function.bar(i).orElse(null);
    }
    this.configWritten = configWritten;
    this.failures = failures;
    this.traffic = traffic;
  }

  /// Bytes of a region; 0 when the function has none of that index.
  long size(int index) {
    if (index == RegionIndex.CONFIG) {
      return ConfigSpace.SIZE;
    }
    Bar bar = bar(index);
    return bar == null ? 0 : bar.size();
  }

  private @Nullable Bar bar(int index) {
    return index >= RegionIndex.BAR0 && index < Bar.COUNT ? bars[index] : null;
  }

  /// Serves REGION_READ.
  void read(MemorySegment request, Reply reply) throws MalformedMessageException {
    RegionAccess.checkRead(request);
    int region = RegionAccess.region(request);
    long offset = RegionAccess.offset(request);
    long count = checkedCount(region, offset, RegionAccess.count(request));
    traffic.read(region);
    MemorySegment message = reply.message();
    for (long done = 0; done < count; ) {
      int piece = piece(offset + done, count - done);
      long value = read(region, offset + done, piece);
      for (int i = 0; i < piece; i++) {
        message.set(JAVA_BYTE, RegionAccess.DATA + done + i, (byte) (value >>> (8 * i)));
      }
      done += piece;
    }
    reply.succeed(RegionAccess.putReply(message, request, count));
  }

  /// Serves REGION_WRITE.
  void write(MemorySegment request, Reply reply) throws MalformedMessageException {
    RegionAccess.checkWrite(request);
    int region = RegionAccess.region(request);
    long offset = RegionAccess.offset(request);
    long count = checkedCount(region, offset, RegionAccess.count(request));
    traffic.written(region);
    for (long done = 0; done < count; ) {
      int piece = piece(offset + done, count - done);
      long value = 0;
      for (int i = 0; i < piece; i++) {
        value |= (request.get(JAVA_BYTE, RegionAccess.DATA + done + i) & 0xffL) << (8 * i);
      }
      write(region, offset + done, piece, value);
      done += piece;
    }
    if (region == RegionIndex.CONFIG) {
      configWritten.run();
    }
    reply.succeed(RegionAccess.putReply(reply.message(), request, 0));
  }

  private long checkedCount(int region, long offset, long count) throws MalformedMessageException {
    long size = size(region);
    if (count > Limits.TRANSFER || offset < 0 || offset > size || count > size - offset) {
      throw new MalformedMessageException(
          "access to "
              + count
              + " bytes at 0x"
              + Long.toHexString(offset)
              + " of region "
              + Integer.toUnsignedString(region)
              + ", which has "
              + size);
    }
    return count;
  }

  /// The largest naturally aligned piece at `offset`.
  private static int piece(long offset, long left) {
    long aligned = offset == 0 ? LARGEST_PIECE : Math.min(LARGEST_PIECE, Long.lowestOneBit(offset));
    return (int) Math.min(aligned, Long.highestOneBit(left));
  }

  private long read(int region, long offset, int size) {
    try {
      if (region == RegionIndex.CONFIG) {
        return config.read((int) offset, size);
      }
      return handler(region).read(offset, size);
    } catch (RuntimeException | InternalError e) {
      // InternalError: the client cut the file short behind memory that the device reads.
      failures.accept(e);
      return -1;
    }
  }

  private void write(int region, long offset, int size, long value) {
    try {
      if (region == RegionIndex.CONFIG) {
        config.write((int) offset, size, value);
      } else {
        handler(region).write(offset, size, value);
      }
    } catch (RuntimeException | InternalError e) {
      failures.accept(e);
    }
  }

  private BarHandler handler(int region) {
    Bar bar = bar(region);
    if (bar == null) {
      throw new IllegalStateException("access within region " + region + ", which is not there");
    }
    return bar.handler();
  }
}
