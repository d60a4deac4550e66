package dev.sluice.vm;

import dev.sluice.vm.BootReport.Stage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Measures the parts of a boot, one after the other. Used by one thread.
final class Stages {
  private final BootListener listener;
  private final long began = System.nanoTime();
  private final List<Stage> ended = new ArrayList<>();
  private @Nullable String current;
  private long currentBegan = began;

  Stages(BootListener listener) {
    this.listener = listener;
  }

  /// Ends the running stage and begins the next.
  void begin(String name) {
    end();
    current = name;
    currentBegan = System.nanoTime();
    listener.stage(name);
  }

  /// Ends the running stage, if there is one.
  void end() {
    if (current != null) {
      ended.add(new Stage(current, Duration.ofNanos(System.nanoTime() - currentBegan)));
      current = null;
    }
  }

  List<Stage> ended() {
    return List.copyOf(ended);
  }

  Duration sinceStart() {
    return Duration.ofNanos(System.nanoTime() - began);
  }
}
