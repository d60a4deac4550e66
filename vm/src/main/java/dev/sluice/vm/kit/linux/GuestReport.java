package dev.sluice.vm.kit.linux;

import dev.sluice.vm.check.GuestCheck;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a guest has reported on its second serial port.
///
/// It is the guest's word and no more: [#judge] compares it with what was asked, and [WrittenData]
/// compares what it says of the disk with the disk.
///
/// @param info facts without a judgement, such as `kernel`
/// @param stages how far the guest got, with seconds since its kernel started
/// @param checks in the order of their arrival
/// @param written what it wrote to the disk
/// @param log the kernel's log with raw level prefixes (`<6>[ 1.234567] text`)
/// @param finished whether the guest said that it has run every check and that none is missing here
/// @param problems what was wrong with the report itself: lines that cannot be read, caps that were
///   hit
public record GuestReport(
    Map<String, String> info,
    List<GuestStage> stages,
    List<GuestCheck> checks,
    List<WrittenRange> written,
    List<String> log,
    boolean finished,
    List<String> problems) {

  /// @param info see the class
  public GuestReport {
    info = Map.copyOf(info);
    stages = List.copyOf(stages);
    checks = List.copyOf(checks);
    written = List.copyOf(written);
    log = List.copyOf(log);
    problems = List.copyOf(problems);
  }

  /// The guest's kernel version, or an empty text when it did not get so far.
  public String kernel() {
    return info.getOrDefault("kernel", "");
  }

  /// Whether everything that was asked was checked and went well.
  ///
  /// @param expected [GuestParameters#expectedChecks]
  public boolean passed(Set<String> expected) {
    return judge(expected).stream().allMatch(GuestCheck::passed);
  }

  /// The guest's checks, and after them a failed one for each that is missing and for a report that
  /// is broken or has no end. What the guest leaves out counts against it.
  ///
  /// @param expected [GuestParameters#expectedChecks]
  public List<GuestCheck> judge(Set<String> expected) {
    List<GuestCheck> all = new ArrayList<>(checks);
    Set<String> seen = new HashSet<>();
    for (GuestCheck check : checks) {
      seen.add(check.name());
    }
    for (String name : expected) {
      if (!seen.contains(name)) {
        all.add(GuestCheck.fail(name, "the guest did not report this check"));
      }
    }
    for (String problem : problems) {
      all.add(GuestCheck.fail("report", problem));
    }
    if (!finished) {
      all.add(GuestCheck.fail("finished", "the guest did not reach the end of its checks"));
    }
    return List.copyOf(all);
  }
}
