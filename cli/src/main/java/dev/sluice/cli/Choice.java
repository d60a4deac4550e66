package dev.sluice.cli;

import dev.sluice.vm.BootOptions;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The value of an option that takes one of a few words: an enum's constants in lower case, with
/// hyphens.
abstract class Choice<E extends Enum<E>> implements ITypeConverter<E> {
  private final E[] constants;

  private Choice(Class<E> type) {
    this.constants = type.getEnumConstants();
  }

  /// The word for a constant.
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public E convert(String value) {
    for (E constant : constants) {
      if (word(constant).equals(value)) {
        return constant;
      }
    }
    String words = Arrays.stream(constants).map(Choice::word).collect(Collectors.joining(" or "));
    throw new TypeConversionException("'" + value + "' is not " + words);
  }

  /// `qemu` or `in-process`.
  static final class OfGuest extends Choice<BootOptions.Guest> {
    OfGuest() {
      super(BootOptions.Guest.class);
    }
  }

  /// `vtd` or `none`.
  static final class OfIommu extends Choice<BootOptions.IommuKind> {
    OfIommu() {
      super(BootOptions.IommuKind.class);
    }
  }

  /// `strict` or `lazy`.
  static final class OfInvalidation extends Choice<BootOptions.Invalidation> {
    OfInvalidation() {
      super(BootOptions.Invalidation.class);
    }
  }

  /// `tcg` or `kvm`.
  static final class OfAccelerator extends Choice<BootOptions.Accelerator> {
    OfAccelerator() {
      super(BootOptions.Accelerator.class);
    }
  }

  /// `spapr`.
  static final class OfModel extends Choice<ReplayCommand.Model> {
    OfModel() {
      super(ReplayCommand.Model.class);
    }
  }
}
