package dev.sluice.testkit;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.MappedMemory;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.WholeResult;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails the test that leaves a mapping open.
///
/// ```java
/// @RegisterExtension final MappingLeaks leaks = new MappingLeaks();
///
/// DmaContext dma = leaks.watch(DmaContext.behind(iommu, memory, requester));
/// MapResult result = leaks.opened(dma.map(iova, 4096, Access.READ));   // says where, if it leaks
/// ```
///
/// It looks after the test's own `@AfterEach` methods, and counts what is live or in the kernel's
/// hands then: a mapping that was taken away at its deadline, or with its context, is not found. A
/// test that has failed is left alone: it may not have come to its close. One instance serves one
/// test at a time, on any number of threads.
public final class MappingLeaks implements AfterEachCallback {
  private record Opened(MappedMemory mapping, Throwable where) {}

  private final List<DmaContext> watched = new ArrayList<>();
  private final List<Opened> opened = new ArrayList<>();

  /// An extension that watches nothing yet.
  public MappingLeaks() {}

  /// Watches a context to the end of the test.
  ///
  /// @return the context
  public synchronized DmaContext watch(DmaContext context) {
    watched.add(context);
    return context;
  }

  /// Remembers where a mapping was opened; of a refusal, nothing.
  ///
  /// @param result of [DmaContext#map]
  /// @return the result
  public synchronized MapResult opened(MapResult result) {
    if (result instanceof Mapping mapping) {
      opened.add(new Opened(mapping, new Throwable("opened here")));
    }
    return result;
  }

  /// Remembers where a whole mapping was opened; of a refusal, nothing.
  ///
  /// @param result of [DmaContext#mapWhole]
  /// @return the result
  public synchronized WholeResult openedWhole(WholeResult result) {
    if (result instanceof MappedMemory mapping) {
      opened.add(new Opened(mapping, new Throwable("opened here")));
    }
    return result;
  }

  @Override
  public synchronized void afterEach(ExtensionContext test) {
    List<Opened> left = opened.stream().filter(one -> one.mapping().isLive()).toList();
    List<DmaContext> holding =
        watched.stream()
            .filter(context -> context.endpoint().holdCount() > 0 || context.bounceBytes() > 0)
            .toList();
    try {
      if (test.getExecutionException().isEmpty() && !(left.isEmpty() && holding.isEmpty())) {
        throw new AssertionError(describe(left, holding));
      }
    } finally {
      left.forEach(one -> one.mapping().close());
      opened.clear();
      watched.clear();
    }
  }

  private static String describe(List<Opened> left, List<DmaContext> holding) {
    StringWriter text = new StringWriter();
    PrintWriter lines = new PrintWriter(text);
    lines.println("the test leaves mappings open:");
    for (DmaContext context : holding) {
      lines.printf(
          "%s holds %d, and %d bytes for bounce mappings%n",
          context.requester(), context.endpoint().holdCount(), context.bounceBytes());
    }
    for (Opened one : left) {
      lines.println(one.mapping());
      one.where().printStackTrace(lines);
    }
    return text.toString();
  }
}
