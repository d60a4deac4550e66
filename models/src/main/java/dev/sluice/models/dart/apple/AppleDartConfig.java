package dev.sluice.models.dart.apple;

import dev.sluice.iommu.RequesterId;
import java.util.function.ToIntFunction;

/// The knobs of an Apple DART.
///
/// @param type whose registers and table entries it has
/// @param pageShift log2 of a page's bytes: 14, or 12 for a t8020. Reported in PARAMS1
/// @param inputWidth bits of an I/O virtual address that go through the tables: 32 to 38, on a
///   t8110 32 to 47 and reported in PARAMS3. Beyond 36, a t8110's streams need FOUR_LEVEL
/// @param streams 16; on a t8110 1 to 256, reported in PARAMS4
/// @param bypass whether streams may go past the tables. Reported in PARAMS2
/// @param streamOf which stream a requester is wired to. One that is wired to none that exists is
///   refused, and nothing is recorded
public record AppleDartConfig(
    DartType type,
    int pageShift,
    int inputWidth,
    int streams,
    boolean bypass,
    ToIntFunction<RequesterId> streamOf) {

  /// A t8020: 16 KiB pages, 32-bit addresses as Linux has them, requester n is stream n.
  public static final AppleDartConfig T8020 =
      new AppleDartConfig(DartType.T8020, 14, 32, 16, true, RequesterId::value);

  /// A t6000, likewise.
  public static final AppleDartConfig T6000 =
      new AppleDartConfig(DartType.T6000, 14, 32, 16, true, RequesterId::value);

  /// A t8110 with 16 streams and 36-bit addresses.
  public static final AppleDartConfig T8110 =
      new AppleDartConfig(DartType.T8110, 14, 36, 16, true, RequesterId::value);

  /// Checks the ranges.
  public AppleDartConfig {
    boolean isT8110 = type == DartType.T8110;
    if (pageShift != 14 && !(pageShift == 12 && type == DartType.T8020)) {
      throw new IllegalArgumentException(
          "a page of a " + type + " does not have 2^" + pageShift + " bytes");
    }
    if (inputWidth < 32 || inputWidth > (isT8110 ? 47 : 38)) {
      throw new IllegalArgumentException(
          "addresses of a " + type + " do not have " + inputWidth + " bits");
    }
    if (isT8110 ? streams < 1 || streams > 256 : streams != 16) {
      throw new IllegalArgumentException("a " + type + " does not have " + streams + " streams");
    }
  }

  /// The same with another page size.
  public AppleDartConfig withPageShift(int shift) {
    return new AppleDartConfig(type, shift, inputWidth, streams, bypass, streamOf);
  }

  /// The same with another width of I/O virtual addresses.
  public AppleDartConfig withInputWidth(int bits) {
    return new AppleDartConfig(type, pageShift, bits, streams, bypass, streamOf);
  }

  /// The same with another number of streams.
  public AppleDartConfig withStreams(int count) {
    return new AppleDartConfig(type, pageShift, inputWidth, count, bypass, streamOf);
  }

  /// The same with or without bypass.
  public AppleDartConfig withBypass(boolean supported) {
    return new AppleDartConfig(type, pageShift, inputWidth, streams, supported, streamOf);
  }

  /// The same with other wires.
  public AppleDartConfig withStreamOf(ToIntFunction<RequesterId> wires) {
    return new AppleDartConfig(type, pageShift, inputWidth, streams, bypass, wires);
  }

  /// log2 of the entries of one table.
  int indexBits() {
    return pageShift - 3;
  }
}
