package dev.sluice.iommu;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;

/// [AccessGate], written as the steps that threads take on what they share, and every order in
/// which two devices and a guest can take them.
///
/// A step is one volatile access, or one under the lock that nobody can see from outside of it; all
/// are in one total order, as the accesses of the class are. Each device passes through the gate
/// some times; the guest changes a value and waits, some times. A section reads the value when it
/// is in. When a wait ends, no section may be open that read an older value than the wait's.
final class AccessGateModel {
  /// A line of the class that can be left out or misplaced, to see what it is for.
  enum Slip {
    /// `enter` returns without asking whether the phase was flipped.
    NO_SECOND_LOOK_AT_THE_PHASE,
    /// `await` looks at the counter of the present phase only.
    ONE_COUNTER_WHEN_IDLE,
    /// A period that begins reads the old counter before it sets `closing`.
    COUNTER_BEFORE_CLOSING,
    /// `leave` reads `closing` before it counts down.
    CLOSING_BEFORE_COUNT,
    /// A new period begins while one is running.
    NO_PATIENCE_FOR_THE_RUNNING_PERIOD
  }

  /// What the search found.
  ///
  /// @param states how many states can be reached
  /// @param tooEarly whether a wait can end under a section that it has to wait for
  /// @param lost whether everybody can be through with a wait not ended
  record Verdict(int states, boolean tooEarly, boolean lost) {}

  // What is shared.
  private static final int COUNTER = 0; // of both phases
  private static final int PHASE = 2;
  private static final int CLOSING = 3; // -1: none
  private static final int LOCK = 4; // the owner, -1: none
  private static final int CURRENT = 5; // sets of waits, a bit each
  private static final int NEXT = 6;
  private static final int VALUE = 7;
  private static final int ENDED = 8;
  private static final int SHARED = 9;

  // What each thread has for itself.
  private static final int PC = 0;
  private static final int NOW = 1;
  private static final int SEEN = 2;
  private static final int READY = 3;
  private static final int LEFT = 4; // passes or waits still to do
  private static final int PRIVATE = 5;

  private static final int GUEST = 2;
  private static final int THREADS = 3;

  // Where a thread is.
  private static final int READ_PHASE = 0;
  private static final int COUNT_UP = 1;
  private static final int LOOK_AGAIN = 2;
  private static final int READ_VALUE = 3;
  private static final int COUNT_DOWN = 4; // a section that is in
  private static final int TAKE_BACK = 5; // a count that must not be kept
  private static final int READ_CLOSING = 6;
  private static final int TAKE_LOCK = 7;
  private static final int CHECK_PERIOD = 8;
  private static final int READ_OLD_COUNTER = 9;
  private static final int END_PERIOD = 10;
  private static final int BEGIN_PERIOD = 11;
  private static final int SET_CLOSING = 12;
  private static final int RUN_READY = 13;
  private static final int CHANGE = 14;
  private static final int READ_FIRST_COUNTER = 15;
  private static final int READ_SECOND_COUNTER = 16;
  private static final int GATHER = 17;
  private static final int DONE = 18;
  private static final int READ_CLOSING_EARLY = 19;
  private static final int READ_COUNTER_EARLY = 20;

  private final Set<Slip> slips;
  private boolean tooEarly;

  private AccessGateModel(Set<Slip> slips) {
    this.slips = slips;
  }

  /// Visits every state that can be reached, or stops at the first that must not be.
  static Verdict explore(int passes, int waits, Slip... slips) {
    Set<Slip> chosen = EnumSet.noneOf(Slip.class);
    chosen.addAll(Set.of(slips));
    return new AccessGateModel(chosen).search(passes, waits);
  }

  private Verdict search(int passes, int waits) {
    Set<ByteBuffer> seen = new HashSet<>();
    Deque<byte[]> open = new ArrayDeque<>();
    byte[] start = new byte[SHARED + THREADS * PRIVATE];
    start[CLOSING] = -1;
    start[LOCK] = -1;
    for (int thread = 0; thread < THREADS; thread++) {
      set(start, thread, LEFT, thread == GUEST ? waits : passes);
      set(start, thread, PC, thread == GUEST ? CHANGE : READ_PHASE);
    }
    seen.add(ByteBuffer.wrap(start));
    open.add(start);
    boolean lost = false;
    while (!open.isEmpty() && !lost && !tooEarly) {
      byte[] state = open.removeLast();
      boolean stuck = true;
      for (int thread = 0; thread < THREADS; thread++) {
        byte[] next = state.clone();
        if (step(next, thread)) {
          stuck = false;
          if (seen.add(ByteBuffer.wrap(next))) {
            open.add(next);
          }
        }
      }
      lost |= stuck && state[ENDED] != (1 << waits) - 1;
    }
    return new Verdict(seen.size(), tooEarly, lost);
  }

  private static int get(byte[] state, int thread, int what) {
    return state[SHARED + thread * PRIVATE + what];
  }

  private static void set(byte[] state, int thread, int what, int value) {
    state[SHARED + thread * PRIVATE + what] = (byte) value;
  }

  /// @return false when the thread is through, or has to wait for the lock
  private boolean step(byte[] s, int me) {
    int pc = get(s, me, PC);
    int now = get(s, me, NOW);
    switch (pc) {
      // enter()
      case READ_PHASE -> {
        set(s, me, NOW, s[PHASE]);
        go(s, me, COUNT_UP);
      }
      case COUNT_UP -> {
        s[COUNTER + now]++;
        go(s, me, slips.contains(Slip.NO_SECOND_LOOK_AT_THE_PHASE) ? READ_VALUE : LOOK_AGAIN);
      }
      case LOOK_AGAIN -> go(s, me, s[PHASE] == now ? READ_VALUE : TAKE_BACK);
      // the section
      case READ_VALUE -> {
        set(s, me, SEEN, s[VALUE]);
        go(s, me, slips.contains(Slip.CLOSING_BEFORE_COUNT) ? READ_CLOSING_EARLY : COUNT_DOWN);
      }
      // leave()
      case READ_CLOSING_EARLY -> {
        // With this slip NOW carries the answer, two higher for yes.
        set(s, me, NOW, s[CLOSING] == now ? now + 2 : now);
        go(s, me, COUNT_DOWN);
      }
      case COUNT_DOWN, TAKE_BACK -> {
        int counter = COUNTER + (now & 1);
        s[counter]--;
        if (pc == COUNT_DOWN) {
          set(s, me, LEFT, get(s, me, LEFT) - 1);
        }
        boolean early = slips.contains(Slip.CLOSING_BEFORE_COUNT) && pc == COUNT_DOWN;
        if (s[counter] != 0 || (early && now < 2)) {
          goOn(s, me);
        } else {
          go(s, me, early ? TAKE_LOCK : READ_CLOSING);
        }
      }
      case READ_CLOSING -> {
        if (s[CLOSING] == now) {
          go(s, me, TAKE_LOCK);
        } else {
          goOn(s, me);
        }
      }
      // await()
      case CHANGE -> {
        s[VALUE]++;
        set(s, me, LEFT, get(s, me, LEFT) - 1);
        go(s, me, READ_FIRST_COUNTER);
      }
      case READ_FIRST_COUNTER -> {
        boolean one = slips.contains(Slip.ONE_COUNTER_WHEN_IDLE);
        if (s[COUNTER + (one ? s[PHASE] : 0)] != 0) {
          go(s, me, TAKE_LOCK);
        } else if (one) {
          ended(s, 1 << (s[VALUE] - 1));
          goOn(s, me);
        } else {
          go(s, me, READ_SECOND_COUNTER);
        }
      }
      case READ_SECOND_COUNTER -> {
        if (s[COUNTER + 1] != 0) {
          go(s, me, TAKE_LOCK);
        } else {
          ended(s, 1 << (s[VALUE] - 1));
          goOn(s, me);
        }
      }
      // finishPeriods()
      case TAKE_LOCK -> {
        if (s[LOCK] >= 0) {
          return false;
        }
        s[LOCK] = (byte) me;
        go(s, me, me == GUEST ? GATHER : CHECK_PERIOD);
      }
      case GATHER -> {
        s[NEXT] |= (byte) (1 << (s[VALUE] - 1));
        go(s, me, CHECK_PERIOD);
      }
      case CHECK_PERIOD -> {
        boolean impatient = slips.contains(Slip.NO_PATIENCE_FOR_THE_RUNNING_PERIOD) && s[NEXT] != 0;
        go(s, me, s[CLOSING] >= 0 && !impatient ? READ_OLD_COUNTER : BEGIN_PERIOD);
      }
      case READ_OLD_COUNTER -> go(s, me, s[COUNTER + s[CLOSING]] != 0 ? RUN_READY : END_PERIOD);
      case END_PERIOD -> {
        set(s, me, READY, get(s, me, READY) | s[CURRENT]);
        s[CURRENT] = 0;
        s[CLOSING] = -1;
        go(s, me, BEGIN_PERIOD);
      }
      case BEGIN_PERIOD -> {
        if (s[NEXT] == 0) {
          go(s, me, RUN_READY);
        } else {
          s[CURRENT] |= s[NEXT];
          s[NEXT] = 0;
          s[PHASE] = (byte) (1 - s[PHASE]);
          go(s, me, slips.contains(Slip.COUNTER_BEFORE_CLOSING) ? READ_COUNTER_EARLY : SET_CLOSING);
        }
      }
      case READ_COUNTER_EARLY -> {
        // With this slip NOW carries the answer; its own use is over by here.
        set(s, me, NOW, s[COUNTER + 1 - s[PHASE]] == 0 ? 1 : 0);
        go(s, me, SET_CLOSING);
      }
      case SET_CLOSING -> {
        s[CLOSING] = (byte) (1 - s[PHASE]);
        if (!slips.contains(Slip.COUNTER_BEFORE_CLOSING)) {
          go(s, me, CHECK_PERIOD);
        } else {
          go(s, me, now == 1 ? END_PERIOD : RUN_READY);
        }
      }
      case RUN_READY -> {
        s[LOCK] = -1;
        ended(s, get(s, me, READY));
        set(s, me, READY, 0);
        goOn(s, me);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void go(byte[] state, int thread, int where) {
    set(state, thread, PC, where);
  }

  /// To the next pass or wait. What the thread remembers is cleared, so that equal states are
  /// equal.
  private static void goOn(byte[] s, int me) {
    set(s, me, NOW, 0);
    set(s, me, SEEN, 0);
    if (get(s, me, LEFT) == 0) {
      go(s, me, DONE);
    } else {
      go(s, me, me == GUEST ? CHANGE : READ_PHASE);
    }
  }

  private void ended(byte[] s, int waits) {
    s[ENDED] |= (byte) waits;
    for (int device = 0; device < GUEST; device++) {
      int pc = get(s, device, PC);
      boolean open = pc == COUNT_DOWN || pc == READ_CLOSING_EARLY;
      for (int wait = 1; open && wait < 8; wait++) {
        if ((waits & (1 << (wait - 1))) != 0 && get(s, device, SEEN) < wait) {
          tooEarly = true;
        }
      }
    }
  }
}
