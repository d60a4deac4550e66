package dev.sluice.vm.kit.linux;

import dev.sluice.vm.check.GuestCheck;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// Compares what the guest says it has written and flushed with what the host finds in the disk's
/// file.
public final class WrittenData {
  /// The name of the check.
  public static final String CHECK = "disk-written";

  private static final int CHUNK = 1 << 16;

  private WrittenData() {}

  /// Reads every range that was asked for from the file and compares its checksum with the guest's.
  ///
  /// Only ranges that were asked for are read, so a guest cannot make the host read more than that.
  ///
  /// @param disk the file behind the guest's disk
  /// @param asked [GuestParameters#writes]
  /// @param written [GuestReport#written]
  /// @throws IOException if the file cannot be read
  public static GuestCheck check(Path disk, List<DiskWrite> asked, List<WrittenRange> written)
      throws IOException {
    long bytes = 0;
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "r")) {
      for (DiskWrite write : asked) {
        List<WrittenRange> reported =
            written.stream()
                .filter(range -> range.offset() == write.offset() && range.bytes() == write.bytes())
                .toList();
        if (reported.size() != 1) {
          return GuestCheck.fail(
              CHECK,
              "the guest reported %d times that it wrote %d bytes at %d"
                  .formatted(reported.size(), write.bytes(), write.offset()));
        }
        String expected = reported.getFirst().sha256();
        String found = sha256(file, write.offset(), write.bytes());
        if (!found.equals(expected)) {
          return GuestCheck.fail(
              CHECK,
              "%d bytes at %d have sha256 %s in the file, the guest wrote %s"
                  .formatted(write.bytes(), write.offset(), found, expected));
        }
        bytes += write.bytes();
      }
    }
    return GuestCheck.pass(
        CHECK, "%d bytes in %d ranges are in the file".formatted(bytes, asked.size()));
  }

  /// The checksum of a range, or of what there is of it before the file's end.
  private static String sha256(RandomAccessFile file, long offset, int bytes) throws IOException {
    MessageDigest digest = newDigest();
    byte[] chunk = new byte[CHUNK];
    file.seek(offset);
    int left = bytes;
    while (left > 0) {
      int count = file.read(chunk, 0, Math.min(left, CHUNK));
      if (count < 0) {
        break;
      }
      digest.update(chunk, 0, count);
      left -= count;
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
