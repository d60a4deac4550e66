package dev.sluice.vm.kit.qemu;

import dev.sluice.vm.kit.QemuInstallation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The command line of a QEMU with nothing in it but what was asked for: a q35 machine whose memory
/// is one shared memfd (so that a vfio-user server can map it), two serial ports, no network, no
/// display.
///
/// The first serial port is the guest's console and goes to QEMU's standard output (and, for a
/// shell, from its standard input). The second carries the guest's report to a UNIX socket, if one
/// was given.
///
/// @param qemu what to start
/// @param reportSocket where [QemuProcess] listens for the second serial port, or empty without one
/// @param arguments every word after the launcher
public record QemuCommand(
    QemuInstallation qemu, Optional<Path> reportSocket, List<String> arguments) {

  /// @param qemu see the class
  /// @param reportSocket see the class
  /// @param arguments see the class
  public QemuCommand {
    arguments = List.copyOf(arguments);
  }

  /// A command line to add to.
  public static Builder of(QemuInstallation qemu) {
    return new Builder(qemu);
  }

  /// The whole command line.
  public List<String> words() {
    List<String> words = new ArrayList<>(qemu.launcher());
    words.addAll(arguments);
    return List.copyOf(words);
  }

  /// The command line in one line of shell, for a user to read or paste.
  public String shellLine() {
    return words().stream().map(QemuCommand::shellWord).collect(Collectors.joining(" "));
  }

  private static String shellWord(String word) {
    return word.matches("[A-Za-z0-9_./:=,+@%^-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  /// A text inside an option of the form `key=value,…`, where a comma ends the value unless
  /// doubled.
  static String optionText(String text) {
    return text.replace(",", ",,");
  }

  /// Collects what the machine has. Each method may be left out.
  public static final class Builder {
    private static final int MIN_MEMORY_MIB = 128;

    private final QemuInstallation qemu;
    private final List<String> kernelArguments = new ArrayList<>();
    private final List<VfioUserDevice> devices = new ArrayList<>();
    private final List<AcpiTableFile> tables = new ArrayList<>();
    private final List<String> extra = new ArrayList<>();
    private Accelerator accelerator = Accelerator.TCG;
    private int memoryMebibytes = 512;
    private int processors = 1;
    private @Nullable Path kernel;
    private @Nullable Path initrd;
    private @Nullable Path reportSocket;

    private Builder(QemuInstallation qemu) {
      this.qemu = qemu;
    }

    /// How instructions are executed; TCG unless set.
    public Builder accelerator(Accelerator accelerator) {
      this.accelerator = accelerator;
      return this;
    }

    /// RAM in MiB; 512 unless set.
    ///
    /// @throws IllegalArgumentException below 128, in which Linux and its initramfs do not fit
    public Builder memoryMebibytes(int mebibytes) {
      if (mebibytes < MIN_MEMORY_MIB) {
        throw new IllegalArgumentException(
            mebibytes + " MiB of memory, a guest needs " + MIN_MEMORY_MIB);
      }
      this.memoryMebibytes = mebibytes;
      return this;
    }

    /// Virtual processors; 1 unless set.
    ///
    /// @throws IllegalArgumentException outside 1 to 255
    public Builder processors(int count) {
      if (count < 1 || count > 255) {
        throw new IllegalArgumentException(count + " processors");
      }
      this.processors = count;
      return this;
    }

    /// The kernel to start without a boot loader. Without one the firmware finds nothing to boot
    /// and the machine idles once it has set up the devices.
    public Builder kernel(Path image) {
      this.kernel = image;
      return this;
    }

    /// The initramfs.
    public Builder initrd(Path file) {
      this.initrd = file;
      return this;
    }

    /// Adds words to the kernel's command line.
    public Builder kernelArguments(List<String> words) {
      kernelArguments.addAll(words);
      return this;
    }

    /// Adds a function behind a vfio-user socket. Functions get their BARs from the firmware, the
    /// same ones for the same devices.
    public Builder vfioUser(VfioUserDevice device) {
      devices.add(device);
      return this;
    }

    /// Adds an ACPI table.
    public Builder acpiTable(AcpiTableFile table) {
      tables.add(table);
      return this;
    }

    /// Gives the second serial port to a socket, which [QemuProcess] makes.
    public Builder reportSocket(Path socket) {
      this.reportSocket = socket;
      return this;
    }

    /// Adds a raw image for one of QEMU's own disks, with QEMU's own settings (cache mode
    /// writeback, I/O by threads).
    ///
    /// @param id the disk's `drive=`
    public Builder drive(String id, Path image) {
      extra(
          "-drive", "if=none,id=%s,format=raw,file=%s".formatted(id, optionText(image.toString())));
      return this;
    }

    /// Adds QEMU's own options, for what has no method here.
    public Builder extra(String... words) {
      extra.addAll(List.of(words));
      return this;
    }

    /// The command.
    public QemuCommand build() {
      List<String> words = new ArrayList<>();
      words.addAll(List.of("-nodefaults", "-no-user-config", "-no-reboot"));
      words.addAll(List.of("-display", "none", "-nic", "none"));
      words.addAll(List.of("-M", "q35,memory-backend=mem", "-accel", accelerator.option()));
      words.addAll(List.of("-smp", Integer.toString(processors)));
      words.addAll(List.of("-m", memoryMebibytes + "M"));
      words.add("-object");
      words.add("memory-backend-memfd,id=mem,size=" + memoryMebibytes + "M,share=on");
      words.addAll(List.of("-chardev", "stdio,id=console,signal=off"));
      words.addAll(List.of("-serial", "chardev:console"));
      if (reportSocket != null) {
        words.add("-chardev");
        words.add("socket,id=report,path=" + optionText(reportSocket.toString()));
        words.addAll(List.of("-serial", "chardev:report"));
      }
      if (kernel != null) {
        words.addAll(List.of("-kernel", kernel.toString()));
        words.addAll(List.of("-append", String.join(" ", kernelArguments)));
      }
      if (initrd != null) {
        words.addAll(List.of("-initrd", initrd.toString()));
      }
      for (AcpiTableFile table : tables) {
        words.addAll(List.of("-acpitable", table.option()));
      }
      for (VfioUserDevice device : devices) {
        words.addAll(List.of("-device", device.option(hasSiblings(device))));
      }
      words.addAll(extra);
      return new QemuCommand(qemu, Optional.ofNullable(reportSocket), words);
    }

    private boolean hasSiblings(VfioUserDevice device) {
      return device.slot().function() == 0
          && devices.stream()
              .anyMatch(other ->
                  other.slot().device() == device.slot().device() && other.slot().function() != 0);
    }
  }
}
