package dev.sluice.vm.check;

/// One thing that was checked, and how it went.
///
/// @param name a short fixed name, such as `disk-read`
/// @param passed whether it was as it should be
/// @param detail what was found, for a person
public record GuestCheck(String name, boolean passed, String detail) {
  /// A check that went well.
  public static GuestCheck pass(String name, String detail) {
    return new GuestCheck(name, true, detail);
  }

  /// A check that did not.
  public static GuestCheck fail(String name, String detail) {
    return new GuestCheck(name, false, detail);
  }
}
