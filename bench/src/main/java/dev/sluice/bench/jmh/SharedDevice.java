package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The device that threads share where they share one.
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH calls the setup.
public class SharedDevice {
  /// The way to memory.
  DmaContext context;

  /// Attaches it.
  @Setup
  public void attach(Bed bed) {
    context = bed.addDevice();
  }
}
