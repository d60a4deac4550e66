package dev.sluice.vm.guest;

import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.guest.machine.HardwareException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The checks of one run, in the order in which they ended.
final class CheckList {
  private final List<GuestCheck> checks = new ArrayList<>();

  /// Something that is as it should be, or is not.
  @FunctionalInterface
  interface Check {
    /// Finds out.
    ///
    /// @return what was found, when all is well
    /// @throws HardwareException when it is not, with what was found
    String find() throws HardwareException;
  }

  /// Runs a check and notes how it went.
  ///
  /// @return whether it passed
  boolean run(String name, Check check) {
    try {
      checks.add(GuestCheck.pass(name, check.find()));
      return true;
    } catch (HardwareException e) {
      checks.add(GuestCheck.fail(name, String.valueOf(e.getMessage())));
      return false;
    }
  }

  /// Something that a check needs before it can run.
  @FunctionalInterface
  interface Maker<T> {
    /// Makes it.
    ///
    /// @throws HardwareException when it cannot be had, with the reason
    T make() throws HardwareException;
  }

  /// Makes what the check `name` is about; notes nothing but a failure.
  <T> Optional<T> make(String name, Maker<T> maker) {
    try {
      return Optional.of(maker.make());
    } catch (HardwareException e) {
      checks.add(GuestCheck.fail(name, String.valueOf(e.getMessage())));
      return Optional.empty();
    }
  }

  /// Whether none has failed so far.
  boolean allPassed() {
    return checks.stream().allMatch(GuestCheck::passed);
  }

  /// Fails every check of `names` that did not run, because an earlier one failed.
  void failMissing(Set<String> names) {
    String because =
        checks.stream()
            .filter(check -> !check.passed())
            .map(GuestCheck::name)
            .findFirst()
            .orElse("the run ended early");
    for (String name : names) {
      if (checks.stream().noneMatch(check -> check.name().equals(name))) {
        checks.add(GuestCheck.fail(name, "not tried, because of " + because));
      }
    }
  }

  List<GuestCheck> all() {
    return List.copyOf(checks);
  }
}
