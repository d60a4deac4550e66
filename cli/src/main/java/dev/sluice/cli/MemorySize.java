package dev.sluice.cli;

import dev.sluice.vm.BootOptions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The guest's memory as a user writes it, in MiB: `512`, `512M` or `2G`.
final class MemorySize implements ITypeConverter<Integer> {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,9})([mMgG]?)");

  MemorySize() {}

  @Override
  public Integer convert(String value) {
    Matcher matcher = FORM.matcher(value);
    if (matcher.matches()) {
      boolean gib = matcher.group(2).equalsIgnoreCase("G");
      long mib = Long.parseLong(matcher.group(1)) * (gib ? 1024 : 1);
      if (mib >= BootOptions.MIN_MEMORY_MIB && mib <= BootOptions.MAX_MEMORY_MIB) {
        return (int) mib;
      }
    }
    throw new TypeConversionException(
        "'%s' is not a size from %dM to %dG, such as 512 (MiB), 512M or 2G"
            .formatted(value, BootOptions.MIN_MEMORY_MIB, BootOptions.MAX_MEMORY_MIB / 1024));
  }
}
