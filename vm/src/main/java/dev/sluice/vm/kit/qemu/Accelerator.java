package dev.sluice.vm.kit.qemu;

/// How QEMU executes the guest's instructions.
public enum Accelerator {
  /// By translation, in any environment.
  TCG("tcg,thread=multi"),
  /// By the processor, where the machine permits it; see [AccelProbe].
  KVM("kvm");

  private final String option;

  Accelerator(String option) {
    this.option = option;
  }

  /// The value of `-accel`.
  String option() {
    return option;
  }
}
