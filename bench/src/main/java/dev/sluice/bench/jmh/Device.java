package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// What a thread of a row has for itself: a buffer, and a device or its part in one.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls the setup.
public class Device {
  static final long BUFFER_BYTES = 1 << 20;
  static final long CACHE_LINE = 64;

  /// Whether all threads use one device.
  @Param("true")
  public boolean shared = true;

  /// The way to memory. Translations of the bed's addresses are cached.
  DmaContext context;

  /// Where loads go.
  final Word word = new Word();

  /// The device's own memory.
  final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES, CACHE_LINE);

  /// Finds the device and fills the IOTLB.
  @Setup
  public void prepare(Bed bed, SharedDevice one) {
    context = shared ? one.context : bed.addDevice();
    buffer.fill((byte) 1);
    AddressStream stream = bed.stream;
    long at = 0;
    do {
      at = (at + stream.step()) & stream.mask();
      Outcome.require(context.check(stream.base() + at, bed.bytes, Access.READ_WRITE));
    } while (at != 0);
  }
}
