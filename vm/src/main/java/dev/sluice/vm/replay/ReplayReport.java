package dev.sluice.vm.replay;

import java.util.Optional;

/// What came of a replay, which ends at the first answer that is not the recorded one.
///
/// @param lines lines read
/// @param ignored those of them that are about something else
/// @param calls the guest's calls that were made
/// @param translations translations that were made
/// @param lists what was not recorded of the lists of H_PUT_TCE_INDIRECT
/// @param mismatch the answer that differs, or none: the replay is exact
public record ReplayReport(
    long lines,
    long ignored,
    Calls calls,
    long translations,
    Lists lists,
    Optional<Mismatch> mismatch) {

  /// The guest's calls by kind.
  ///
  /// @param puts H_PUT_TCE
  /// @param indirects H_PUT_TCE_INDIRECT
  /// @param stuffs H_STUFF_TCE
  /// @param gets H_GET_TCE
  /// @param windows RTAS calls on windows
  public record Calls(long puts, long indirects, long stuffs, long gets, long windows) {
    /// All of them.
    public long sum() {
      return puts + indirects + stuffs + gets + windows;
    }
  }

  /// Entries of lists. A trace has the last entry of each list only.
  ///
  /// @param derived taken to run up to the last one in steps of a page, as Linux writes them
  /// @param confirmed those that a recorded translation then confirmed
  /// @param corrected those that a recorded translation showed to be otherwise, in lists of which
  ///   none was confirmed; they were entered again by it
  public record Lists(long derived, long confirmed, long corrected) {}

  /// An answer that differs.
  ///
  /// @param line its number, from 1
  /// @param text the line
  /// @param recorded the answer that was recorded
  /// @param cameOut the answer of the model
  public record Mismatch(long line, String text, String recorded, String cameOut) {}
}
