package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The rows for people.
final class Table {
  /// Bytes of the least object. What JMH itself allocates comes to less, even where it is spread
  /// over the few operations of a slow row.
  private static final double NOTHING = 16;

  private Table() {}

  /// The lines of the table, and what it comes to.
  static List<String> of(List<Row> rows) {
    List<String> lines = new ArrayList<>();
    lines.add(line("what", "ns", "+-", "B/op", "compared to", "ns", "ratio", "target", ""));
    String last = "";
    for (Row row : rows) {
      if (row.isC()) {
        continue; // It stands beside those that are compared to it.
      }
      boolean again = row.name().equals(last);
      last = row.name();
      lines.add(
          line(
              again ? "" : row.name(),
              again ? "" : nanos(row.score().value()),
              again ? "" : percent(row.score()),
              again ? "" : bytes(row.bytesPerOp()),
              row.comparedTo(),
              nanos(row.other()),
              ratio(row.ratio()),
              row.target() == null ? "" : row.target().toString(),
              verdict(row)));
    }
    lines.add(summary(rows));
    return lines;
  }

  private static String line(Object... cells) {
    return String.format(Locale.ROOT, "%-48s %9s %6s %6s  %-34s %9s %7s  %-10s %s", cells)
        .stripTrailing();
  }

  private static String summary(List<Row> rows) {
    long met = rows.stream().filter(row -> Boolean.TRUE.equals(row.met())).count();
    long decided = rows.stream().filter(row -> row.met() != null).count();
    long all = rows.stream().filter(row -> row.target() != null).count();
    String open = all == decided ? "" : ", " + (all - decided) + " not to be told without C";
    List<Row> own = rows.stream().filter(row -> !row.isC()).toList();
    long names = own.stream().map(Row::name).distinct().count();
    long allocating =
        own.stream().filter(row -> row.bytesPerOp() >= NOTHING).map(Row::name).distinct().count();
    return "%d of %d targets met%s; %d of %d rows allocate nothing"
        .formatted(met, decided, open, names - allocating, names);
  }

  private static String verdict(Row row) {
    Boolean met = row.met();
    return row.target() == null ? "" : met == null ? "?" : met ? "met" : "missed";
  }

  static String nanos(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
  }

  private static String percent(Score score) {
    double percent = 100 * score.error() / score.value();
    return percent > 999 ? ">999%" : String.format(Locale.ROOT, "%.0f%%", percent);
  }

  private static String ratio(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2fx", value);
  }

  private static String bytes(double value) {
    return value < NOTHING ? "0" : String.format(Locale.ROOT, "%.0f", value);
  }
}
