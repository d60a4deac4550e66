package dev.sluice.vm.kit.qemu;

import java.nio.file.Path;
import java.util.regex.Pattern;

/// An ACPI table that QEMU adds to those of the machine. QEMU writes the 36-byte header and the
/// checksum (ACPI 6.5, 5.2.6), the file has what follows.
///
/// @param signature four characters, such as `DMAR`
/// @param revision of the table, 0 to 255
/// @param oemId at most six characters
/// @param oemTableId at most eight characters
/// @param body file with the table without its header
public record AcpiTableFile(
    String signature, int revision, String oemId, String oemTableId, Path body) {
  private static final Pattern SIGNATURE = Pattern.compile("[A-Z0-9]{4}");
  private static final Pattern OEM = Pattern.compile("[A-Za-z0-9]{1,8}");

  /// @throws IllegalArgumentException if a field has another form, or the path has a colon, which
  ///   QEMU takes for the end of a file's name
  public AcpiTableFile {
    if (!SIGNATURE.matcher(signature).matches()) {
      throw new IllegalArgumentException("signature " + signature);
    }
    if (revision < 0 || revision > 255) {
      throw new IllegalArgumentException("revision " + revision);
    }
    if (!OEM.matcher(oemId).matches() || oemId.length() > 6) {
      throw new IllegalArgumentException("OEM id " + oemId);
    }
    if (!OEM.matcher(oemTableId).matches()) {
      throw new IllegalArgumentException("OEM table id " + oemTableId);
    }
    if (body.toString().contains(":")) {
      throw new IllegalArgumentException("a colon in " + body);
    }
  }

  /// The value of `-acpitable`.
  public String option() {
    return "sig=%s,rev=%d,oem_id=%s,oem_table_id=%s,data=%s"
        .formatted(signature, revision, oemId, oemTableId, QemuCommand.optionText(body.toString()));
  }
}
