package dev.sluice.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;

/// The raw image behind the guest's disk, and what is in it before the guest starts.
///
/// @param file the image
/// @param bytes what the guest sees of it: whole blocks of 512 bytes
/// @param sha256 of those bytes, lower-case hexadecimal
/// @param scratch whether the image was made for this run, so that the guest may write to it
record DiskImage(Path file, long bytes, String sha256, boolean scratch) {
  /// Bytes of an image made for a run: enough for a guest to use every queue, and read by an
  /// emulated processor in two seconds.
  static final long SCRATCH_BYTES = 32L << 20;

  /// Bytes of a block.
  static final int BLOCK = 512;

  /// Least bytes of a user's image: what the guest's kernel reads while it looks for a partition
  /// table.
  static final long SMALLEST = 1L << 20;

  private static final int CHUNK = 1 << 20;
  private static final long SEED = 0x51_0C_E5;

  /// Makes an image with reproducible content: no two blocks alike, so that a misplaced one is
  /// noticed.
  static DiskImage create(Path file) throws BootException {
    return create(file, SCRATCH_BYTES);
  }

  /// The same of another size, a multiple of 1 MiB.
  static DiskImage create(Path file, long bytes) throws BootException {
    SplittableRandom random = new SplittableRandom(SEED);
    MessageDigest digest = newDigest();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long done = 0; done < bytes; done += CHUNK) {
        chunk.clear();
        while (chunk.hasRemaining()) {
          chunk.putLong(random.nextLong());
        }
        digest.update(chunk.flip());
        chunk.rewind();
        while (chunk.hasRemaining()) {
          channel.write(chunk);
        }
      }
    } catch (IOException e) {
      throw new BootException(
          "cannot write the disk image %s of %d MiB: %s"
              .formatted(file, bytes >> 20, e.getMessage()),
          "Free space in that folder's file system, or pass a disk of your own with --disk FILE.",
          e);
    }
    return new DiskImage(file, bytes, HexFormat.of().formatHex(digest.digest()), true);
  }

  /// Finds out whether a user's image can be one, without reading it: before anything that takes
  /// time.
  static void check(Path file) throws BootException {
    if (file.toString().isEmpty()) {
      throw new BootException(
          "the path of the disk is empty", "Pass the path of a raw image file to --disk.");
    }
    if (Files.isDirectory(file)) {
      throw new BootException(
          "the disk " + file + " is a directory", "Pass the path of a raw image file to --disk.");
    }
    if (!Files.exists(file)) {
      throw new BootException(
          "the disk " + file + " does not exist",
          "Make one, for example with: truncate -s 64M " + file + " ; or leave --disk out.");
    }
    if (!Files.isReadable(file) || !Files.isWritable(file)) {
      throw new BootException(
          "the disk " + file + " cannot be read and written by this user",
          "Change its permissions (a guest's disk is writable), or copy it.");
    }
    // A pipe would be waited for without end, and a character device has no size.
    if (!Files.isRegularFile(file) && !isBlockDevice(file)) {
      throw new BootException(
          "the disk " + file + " is neither a file nor a block device",
          "Pass the path of a raw image file to --disk.");
    }
  }

  /// Whether Linux's `st_mode` has the type `S_IFBLK` (inode(7)).
  private static boolean isBlockDevice(Path file) throws BootException {
    try {
      return ((int) Files.getAttribute(file, "unix:mode") & 0170000) == 0060000;
    } catch (IOException e) {
      throw new BootException(
          "cannot look at the disk " + file + ": " + e.getMessage(),
          "Check the file and the file system it is on.",
          e);
    }
  }

  /// Takes a user's image, which the checks only read.
  static DiskImage open(Path file) throws BootException {
    check(file);
    MessageDigest digest = newDigest();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long bytes = channel.size() / BLOCK * BLOCK;
      if (bytes < SMALLEST) {
        throw new BootException(
            "the disk %s has %d bytes; the guest needs %d at the least"
                .formatted(file, channel.size(), SMALLEST),
            "Enlarge it, for example with: truncate -s 64M " + file);
      }
      for (long done = 0; done < bytes; ) {
        chunk.clear().limit((int) Math.min(CHUNK, bytes - done));
        int read = channel.read(chunk, done);
        if (read < 0) {
          throw new IOException("it became shorter while it was read");
        }
        digest.update(chunk.flip());
        done += read;
      }
      return new DiskImage(file, bytes, HexFormat.of().formatHex(digest.digest()), false);
    } catch (IOException e) {
      throw new BootException(
          "cannot read the disk " + file + ": " + e.getMessage(),
          "Check the file and the file system it is on.",
          e);
    }
  }

  private static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
