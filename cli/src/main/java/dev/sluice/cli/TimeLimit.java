package dev.sluice.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A time as a user writes it: `90` or `90s` for seconds, `3m` for minutes, `1h` for hours.
final class TimeLimit implements ITypeConverter<Duration> {
  /// Longest time: a guest that needs a day is one that hangs.
  private static final Duration LONGEST = Duration.ofHours(24);

  private static final Pattern FORM = Pattern.compile("([0-9]{1,6})([smh]?)");

  TimeLimit() {}

  @Override
  public Duration convert(String value) {
    Matcher matcher = FORM.matcher(value);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      Duration limit =
          switch (matcher.group(2)) {
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> Duration.ofSeconds(number);
          };
      if (limit.isPositive() && limit.compareTo(LONGEST) <= 0) {
        return limit;
      }
    }
    throw new TypeConversionException(
        "'" + value + "' is not a time from 1s to 24h, such as 90 (seconds), 90s, 3m or 1h");
  }
}
