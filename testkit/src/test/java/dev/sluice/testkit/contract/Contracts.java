package dev.sluice.testkit.contract;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.List;

/// What there is of contracts and models, by what is compiled.
final class Contracts {
  static final JavaClasses CLASSES =
      new ClassFileImporter().importPackages("dev.sluice.models", "dev.sluice.testkit.contract");

  private Contracts() {}

  /// The tests that run a model through the contract.
  static List<JavaClass> all() {
    return concrete(IommuContract.class);
  }

  /// Classes that can be made, of a type.
  static List<JavaClass> concrete(Class<?> type) {
    return CLASSES.stream()
        .filter(one -> one.isAssignableTo(type))
        .filter(one -> !one.isInterface() && !one.getModifiers().contains(JavaModifier.ABSTRACT))
        .toList();
  }
}
