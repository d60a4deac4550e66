package dev.sluice.vm.replay;

import dev.sluice.vm.replay.SpaprEvent.Get;
import dev.sluice.vm.replay.SpaprEvent.Indirect;
import dev.sluice.vm.replay.SpaprEvent.NewTable;
import dev.sluice.vm.replay.SpaprEvent.Put;
import dev.sluice.vm.replay.SpaprEvent.Stuff;
import dev.sluice.vm.replay.SpaprEvent.Translated;
import dev.sluice.vm.replay.SpaprEvent.WindowCreation;
import dev.sluice.vm.replay.SpaprEvent.WindowQuery;
import dev.sluice.vm.replay.SpaprEvent.WindowRemoval;
import dev.sluice.vm.replay.SpaprEvent.WindowReset;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads QEMU's trace lines, as `-trace 'spapr_iommu*'` prints them, with or without the prefix of
/// a process and a time. Those of PCI windows have `pci_` in their name, those of VIO not.
final class SpaprTrace {
  private static final Pattern NAME = Pattern.compile("spapr_iommu_(?:pci_)?(\\w+)\\b *");

  /// How the rest of a line becomes an event.
  private record Form(Pattern pattern, Reader reader) {
    static Form of(String text, Reader reader) {
      return new Form(
          Pattern.compile(
              text.replace("HEX", "(?:0x)?([0-9a-fA-F]{1,16})").replace("DEC", "(-?\\d{1,19})")
                  + " *"),
          reader);
    }
  }

  private interface Reader {
    SpaprEvent read(Matcher m);
  }

  private static final Map<String, Form> FORMS =
      Map.of(
          "new_table",
          Form.of("liobn=HEX\\b.*", m -> new NewTable(hex(m, 1))),
          "get",
          Form.of(
              "liobn=HEX ioba=HEX ret=DEC tce=HEX",
              m -> new Get(hex(m, 1), hex(m, 2), dec(m, 3), hex(m, 4))),
          "put",
          Form.of(
              "liobn=HEX ioba=HEX tce=HEX ret=DEC",
              m -> new Put(hex(m, 1), hex(m, 2), hex(m, 3), dec(m, 4))),
          "stuff",
          Form.of(
              "liobn=HEX ioba=HEX tcevalue=HEX npages=DEC ret=DEC",
              m -> new Stuff(hex(m, 1), hex(m, 2), hex(m, 3), dec(m, 4), dec(m, 5))),
          "indirect",
          Form.of(
              "liobn=HEX ioba=HEX tcelist=HEX iobaN=HEX tceN=HEX ret=DEC",
              m -> new Indirect(hex(m, 1), hex(m, 2), hex(m, 3), hex(m, 4), hex(m, 5), dec(m, 6))),
          "xlate",
          Form.of(
              "liobn=HEX HEX -> HEX perm=([0-3]) mask=HEX",
              m ->
                  new Translated(
                      hex(m, 1), hex(m, 2), hex(m, 3), (int) dec(m, 4), (int) hex(m, 5))),
          "ddw_query",
          Form.of(
              "buid=HEX addr=HEX, DEC windows available, max window size=HEX, mask=HEX",
              m ->
                  new WindowQuery(
                      hex(m, 1), (int) hex(m, 2), (int) dec(m, 3), hex(m, 4), (int) hex(m, 5))),
          "ddw_create",
          Form.of(
              "buid=HEX addr=HEX, page size=HEX, requested=HEX, start addr=HEX, liobn=HEX",
              m ->
                  new WindowCreation(
                      hex(m, 1), (int) hex(m, 2), hex(m, 3), hex(m, 4), hex(m, 5), hex(m, 6))),
          "ddw_remove",
          Form.of("liobn=HEX", m -> new WindowRemoval(hex(m, 1))),
          "ddw_reset",
          Form.of("buid=HEX addr=HEX", m -> new WindowReset(hex(m, 1), (int) hex(m, 2))));

  private SpaprTrace() {}

  private static long hex(Matcher m, int group) {
    return Long.parseUnsignedLong(m.group(group), 16);
  }

  private static long dec(Matcher m, int group) {
    return Long.parseLong(m.group(group));
  }

  /// Reads a line.
  ///
  /// @return null when it is not about TCEs
  /// @throws IllegalArgumentException when it is, but is not as QEMU prints it
  static @Nullable SpaprEvent read(String line) {
    Matcher name = NAME.matcher(line);
    Form form = name.find() ? FORMS.get(name.group(1)) : null;
    if (form == null) {
      return null;
    }
    Matcher rest = form.pattern().matcher(line).region(name.end(), line.length());
    if (!rest.matches()) {
      throw new IllegalArgumentException(notAsPrinted(line));
    }
    try {
      return form.reader().read(rest);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(notAsPrinted(line), e);
    }
  }

  private static String notAsPrinted(String line) {
    return "not as QEMU prints it: " + line;
  }
}
