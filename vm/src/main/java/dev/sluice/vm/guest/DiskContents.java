package dev.sluice.vm.guest;

import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.nvme.NvmeDisk;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.HexFormat;
import java.util.Queue;
import java.util.function.LongConsumer;

/// Reads and writes runs of a disk, several requests at a time, and computes checksums.
final class DiskContents {
  /// Requests under way at a time: enough to keep every queue of the controller busy.
  private static final int DEPTH = 8;

  private final DriverView machine;
  private final NvmeDisk disk;

  DiskContents(DriverView machine, NvmeDisk disk) {
    this.machine = machine;
    this.disk = disk;
  }

  private record Part(NvmeDisk.Request request, int offset, int length) {}

  /// Reads a run; as the other [#sha256], told nobody.
  String sha256(long position, long length, int block) throws HardwareException {
    return sha256(position, length, block, _ -> {});
  }

  /// Reads a run.
  ///
  /// @param block bytes of a request, at the most
  /// @param progress told how many bytes have been read, now and then
  /// @return SHA-256 in lower-case hexadecimal
  String sha256(long position, long length, int block, LongConsumer progress)
      throws HardwareException {
    MessageDigest digest = newDigest();
    byte[] page = new byte[Ram.PAGE];
    int step = Math.min(block, disk.maxTransfer());
    Queue<Part> underWay = new ArrayDeque<>();
    long started = 0;
    long read = 0;
    while (read < length) {
      while (started < length && underWay.size() < DEPTH) {
        int part = (int) Math.min(step, length - started);
        int offset = offsetInPage(started, part);
        long[] pages = pagesFor(offset + part);
        underWay.add(new Part(disk.read(position + started, pages, offset, part), offset, part));
        started += part;
      }
      Part part = underWay.remove();
      part.request().await();
      long[] pages = part.request().pages();
      for (int done = 0; done < part.length(); ) {
        int at = part.offset() + done;
        int count = Math.min(part.length() - done, Ram.PAGE - at % Ram.PAGE);
        machine.ram().read(pages[at / Ram.PAGE] + at % Ram.PAGE, page, 0, count);
        digest.update(page, 0, count);
        done += count;
      }
      machine.pages().free(part.request().pages());
      read += part.length();
      progress.accept(read);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /// Writes a run.
  ///
  /// @param block bytes of a request, at the most
  void write(long position, byte[] data, int block) throws HardwareException {
    int step = Math.min(block, disk.maxTransfer());
    Queue<Part> underWay = new ArrayDeque<>();
    int started = 0;
    while (started < data.length || !underWay.isEmpty()) {
      while (started < data.length && underWay.size() < DEPTH) {
        int part = Math.min(step, data.length - started);
        int offset = offsetInPage(started, part);
        long[] pages = pagesFor(offset + part);
        for (int done = 0; done < part; ) {
          int at = offset + done;
          int count = Math.min(part - done, Ram.PAGE - at % Ram.PAGE);
          machine.ram().write(pages[at / Ram.PAGE] + at % Ram.PAGE, data, started + done, count);
          done += count;
        }
        underWay.add(new Part(disk.write(position + started, pages, offset, part), offset, part));
        started += part;
      }
      Part part = underWay.remove();
      part.request().await();
      machine.pages().free(part.request().pages());
    }
  }

  static String sha256(byte[] data) {
    return HexFormat.of().formatHex(newDigest().digest(data));
  }

  /// A request smaller than a page lies somewhere within it, as a program's buffer may.
  private static int offsetInPage(long position, int length) {
    return length < Ram.PAGE ? (int) (position % (Ram.PAGE - length + 1)) & -512 : 0;
  }

  private long[] pagesFor(int bytes) throws HardwareException {
    return machine.pages().allocate((bytes + Ram.PAGE - 1) / Ram.PAGE);
  }

  private static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
