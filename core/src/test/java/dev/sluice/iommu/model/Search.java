package dev.sluice.iommu.model;

import dev.sluice.iommu.model.Program.Step;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Visits every state of a scenario that can be reached, the near ones first, or stops at the first
/// that must not be.
final class Search {
  /// What the search found.
  ///
  /// @param states how many states can be reached, or were seen up to the violation
  /// @param violation what must not be, or null
  /// @param story the steps that lead there, as few as possible
  record Verdict(int states, @Nullable String violation, List<String> story) {
    @Override
    public String toString() {
      return states + " states, " + violation + "\n  " + String.join("\n  ", story);
    }
  }

  /// How a state was reached first: by the next step of a thread, or by one of its pending stores.
  private record Way(@Nullable State from, int thread, int store) {}

  private static final int NEXT_STEP = -1;

  private final Scenario scenario;
  private final Map<State, Way> seen = new HashMap<>();
  private final Deque<State> open = new ArrayDeque<>();

  private Search(Scenario scenario) {
    this.scenario = scenario;
  }

  static Verdict of(Scenario scenario) {
    return new Search(scenario).run();
  }

  private Verdict run() {
    State start = scenario.start();
    seen.put(start, new Way(null, 0, NEXT_STEP));
    open.add(start);
    while (!open.isEmpty()) {
      Verdict violation = expand(open.removeFirst());
      if (violation != null) {
        return violation;
      }
    }
    return new Verdict(seen.size(), null, List.of());
  }

  private @Nullable Verdict expand(State state) {
    boolean stuck = true;
    boolean ended = true;
    for (int thread = 0; thread < scenario.threads(); thread++) {
      Processor now = new Processor(scenario, state, thread);
      for (int store = 0; store < state.pending(thread); store++) {
        if (now.canFlush(store)) {
          State next = state.copy();
          new Processor(scenario, next, thread).flush(store);
          stuck = false;
          Verdict violation = reached(next, new Way(state, thread, store));
          if (violation != null) {
            return violation;
          }
        }
      }
      Program program = scenario.program(thread);
      if (state.place(thread) == program.length()) {
        ended &= state.pending(thread) == 0;
        continue;
      }
      ended = false;
      Step step = program.step(state.place(thread));
      if (now.canStore() && step.enabled().test(now)) {
        State next = state.copy();
        next.place(thread, state.place(thread) + 1);
        step.action().accept(new Processor(scenario, next, thread));
        stuck = false;
        Verdict violation = reached(next, new Way(state, thread, NEXT_STEP));
        if (violation != null) {
          return violation;
        }
      }
    }
    if (stuck) {
      if (ended) {
        scenario.ended(state);
      } else {
        scenario.violated("nobody can go on");
      }
      return verdict(seen.get(state));
    }
    return null;
  }

  private @Nullable Verdict reached(State next, Way way) {
    if (seen.putIfAbsent(next, way) == null) {
      open.add(next);
    }
    return verdict(way);
  }

  /// @param way that led to the state in question
  private @Nullable Verdict verdict(@Nullable Way way) {
    String violation = scenario.takeViolation();
    return violation == null ? null : new Verdict(seen.size(), violation, story(way));
  }

  private List<String> story(@Nullable Way last) {
    List<String> story = new ArrayList<>();
    Way way = last;
    while (way != null) {
      State from = way.from();
      if (from != null) {
        story.add(tell(from, way));
      }
      way = from == null ? null : seen.get(from);
    }
    Collections.reverse(story);
    return story;
  }

  private String tell(State from, Way way) {
    Program program = scenario.program(way.thread());
    return way.store() == NEXT_STEP
        ? program.name() + ": " + program.step(from.place(way.thread())).what()
        : "%s of %s reaches memory"
            .formatted(
                scenario.nameOf(from.pendingVariable(way.thread(), way.store())), program.name());
  }
}
