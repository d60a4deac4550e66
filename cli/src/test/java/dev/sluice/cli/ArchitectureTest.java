package dev.sluice.cli;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

/// The rules of `docs/architecture.md` that JPMS cannot state, and those it states in module
/// declarations that a hasty edit could change. Here because this module sees every other.
class ArchitectureTest {
  private static final JavaClasses SLUICE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.sluice");

  @Test
  void dependenciesFollowTheArrows() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("core")
        .definedBy(
            "dev.sluice.memory..", "dev.sluice.dma..", "dev.sluice.iommu..", "dev.sluice.host..")
        .layer("models")
        .definedBy("dev.sluice.models..")
        .layer("pci")
        .definedBy("dev.sluice.pci..")
        .layer("vfio-user")
        .definedBy("dev.sluice.vfiouser..")
        .layer("vm")
        .definedBy("dev.sluice.vm..")
        .layer("cli")
        .definedBy("dev.sluice.cli..")
        .layer("testkit")
        .definedBy("dev.sluice.testkit..")
        .withOptionalLayers(true)
        .whereLayer("core")
        .mayNotAccessAnyLayer()
        .whereLayer("models")
        .mayOnlyAccessLayers("core")
        .whereLayer("pci")
        .mayOnlyAccessLayers("core")
        .whereLayer("vfio-user")
        .mayOnlyAccessLayers("core", "pci")
        .whereLayer("vm")
        .mayOnlyAccessLayers("core", "pci", "models", "vfio-user")
        .whereLayer("cli")
        .mayOnlyAccessLayers("core", "pci", "models", "vfio-user", "vm")
        .whereLayer("testkit")
        .mayOnlyAccessLayers("core", "pci", "models", "vfio-user")
        .check(SLUICE);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.sluice.(**)").should().beFreeOfCycles().check(SLUICE);
  }

  @Test
  void coreAndModelsNeedNothingButTheJdk() {
    classes()
        .that()
        .resideInAnyPackage(
            "dev.sluice.memory..",
            "dev.sluice.dma..",
            "dev.sluice.iommu..",
            "dev.sluice.host..",
            "dev.sluice.models..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "jdk.jfr..", "dev.sluice..", "org.jspecify.annotations..")
        .check(SLUICE);
  }

  @Test
  void nativeCodeIsCalledFromTheHostAndMemoryPackagesOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.sluice.host..", "dev.sluice.memory..")
        .should()
        .dependOnClassesThat(assignableTo(Linker.class).or(assignableTo(SymbolLookup.class)))
        .orShould()
        .callMethodWhere(
            target(owner(assignableTo(MemorySegment.class))).and(target(name("reinterpret"))))
        .check(SLUICE);
  }

  @Test
  void onlyTheCommandLineWritesToStandardOutput() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.sluice.cli..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(SLUICE);
  }
}
