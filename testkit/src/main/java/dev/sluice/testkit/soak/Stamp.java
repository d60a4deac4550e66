package dev.sluice.testkit.soak;

/// What the owners of a page write into it, so that every byte tells whose it is.
///
/// ```
///            byte 7     6    ...    1      0        of a word of 8 bytes, little endian
/// guest    | 0 hash | 0 hash | ... | 0 hash |       56 bits of a hash of owner, tenancy and place
/// device   | 10 slot| 11 req | ... | 11 req |       6 bits each: the slot it was written through, and
///                                                   the requester that wrote it
/// counter  |  32 bits of the hash |  count  |       devices add to the low half
/// ```
///
/// An owner is a slot of devices' address spaces or, while no device may reach the page, a frame.
/// Each use of a page by an owner is a tenancy with a number of its own, so no two have the same
/// bytes.
final class Stamp {
  /// Bytes of a page.
  static final int PAGE = 4096;

  /// Words of 8 bytes in a page.
  static final int WORDS = PAGE / Long.BYTES;

  /// The most slots, and the most requesters: what a device's byte can tell apart.
  static final int CODES = 64;

  private static final long GUEST_BITS = 0x7F7F_7F7F_7F7F_7F7FL;
  private static final long LOW_BYTES = 0x00FF_00FF_00FF_00FFL;
  private static final long EVERY_BYTE = 0x0101_0101_0101_0101L;
  private static final int DEVICE = 0x80;
  private static final int REQUESTER = 0xC0;

  private Stamp() {}

  /// What the words of one tenancy have in common.
  static long base(int owner, int tenancy) {
    return mix(((long) owner << 32) | (tenancy & 0xFFFF_FFFFL));
  }

  /// A guest's word.
  ///
  /// @param base from [#base]
  /// @param index word of the page, 0 to 511
  static long word(long base, int index) {
    return hash(base, index) & GUEST_BITS;
  }

  /// A counter that nobody has added to.
  static long counter(long base, int index) {
    return hash(base, index) & 0xFFFF_FFFF_0000_0000L;
  }

  /// A device's byte that names its requester.
  static byte ofRequester(int requester) {
    return (byte) (REQUESTER | requester);
  }

  /// A device's byte that names the slot it goes through.
  static byte ofSlot(int slot) {
    return (byte) (DEVICE | slot);
  }

  /// A device's word: requester in the even bytes, slot in the odd ones.
  static long ofDevice(int requester, int slot) {
    long even = (REQUESTER | requester) * EVERY_BYTE & LOW_BYTES;
    long odd = (DEVICE | slot) * EVERY_BYTE & ~LOW_BYTES;
    return even | odd;
  }

  private static long hash(long base, int index) {
    long z = (base + index * 0x9E37_79B9_7F4A_7C15L) * 0xD6E8_FEB8_6659_FD93L;
    return z ^ (z >>> 32);
  }

  private static long mix(long seed) {
    long z = seed + 0x9E37_79B9_7F4A_7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return z ^ (z >>> 31);
  }
}
