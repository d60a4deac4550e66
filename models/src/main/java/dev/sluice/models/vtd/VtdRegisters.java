package dev.sluice.models.vtd;

import dev.sluice.models.registers.Register;
import java.util.ArrayList;
import java.util.List;

/// The registers of the unit, VT-d specification 11.4, at their offsets from the base address that
/// the DMAR table names.
///
/// What is not here reads as zero: advanced fault log, protected memory, interrupt remapping table,
/// page requests, MTRRs, performance monitoring, virtual commands. No capability promises them.
final class VtdRegisters {
  /// Bytes of the register page.
  static final int BYTES = 0x1000;

  private static final long ALL_32 = 0xFFFF_FFFFL;
  private static final long MESSAGE_ADDRESS = 0xFFFF_FFFCL;

  /// 11.4.1. Architecture version 1.0: queued and register-based invalidation.
  static final Register VER = Register.of("VER_REG", 0x00, 4).resetTo(0x10);

  /// 11.4.4.1, bits in [GlobalCommand].
  static final Register GCMD = Register.of("GCMD_REG", 0x18, 4).writable(GlobalCommand.SUPPORTED);

  /// 11.4.4.2, bits in [GlobalCommand].
  static final Register GSTS = Register.of("GSTS_REG", 0x1C, 4);

  /// 11.4.6.1, bits in [ContextCommand].
  static final Register CCMD = Register.of("CCMD_REG", 0x28, 8).writable(ContextCommand.WRITABLE);

  /// 11.4.7.1, bits in [FaultStatus].
  static final Register FSTS =
      Register.of("FSTS_REG", 0x34, 4).writeOneToClear(FaultStatus.CLEARED_BY_ONE);

  /// 11.4.7.2, bits in [EventInterrupt].
  static final Register FECTL =
      Register.of("FECTL_REG", 0x38, 4).resetTo(EventInterrupt.MASK).writable(EventInterrupt.MASK);

  /// 11.4.7.3.
  static final Register FEDATA = Register.of("FEDATA_REG", 0x3C, 4).writable(ALL_32);

  /// 11.4.7.4.
  static final Register FEADDR = Register.of("FEADDR_REG", 0x40, 4).writable(MESSAGE_ADDRESS);

  /// 11.4.7.5.
  static final Register FEUADDR = Register.of("FEUADDR_REG", 0x44, 4).writable(ALL_32);

  /// 11.4.9.1: the descriptor that is fetched next, bits 18:4.
  static final Register IQH = Register.of("IQH_REG", 0x80, 8);

  /// 11.4.9.2: the descriptor that software writes next, bits 18:4.
  static final Register IQT = Register.of("IQT_REG", 0x88, 8).writable(QueueRegisters.POINTER_MASK);

  /// 11.4.9.4, bits in [QueueRegisters].
  static final Register ICS =
      Register.of("ICS_REG", 0x9C, 4).writeOneToClear(QueueRegisters.WAIT_COMPLETE);

  /// 11.4.9.5, bits in [EventInterrupt].
  static final Register IECTL =
      Register.of("IECTL_REG", 0xA0, 4).resetTo(EventInterrupt.MASK).writable(EventInterrupt.MASK);

  /// 11.4.9.6.
  static final Register IEDATA = Register.of("IEDATA_REG", 0xA4, 4).writable(ALL_32);

  /// 11.4.9.7.
  static final Register IEADDR = Register.of("IEADDR_REG", 0xA8, 4).writable(MESSAGE_ADDRESS);

  /// 11.4.9.8.
  static final Register IEUADDR = Register.of("IEUADDR_REG", 0xAC, 4).writable(ALL_32);

  /// 11.4.9.9: why the queue stopped, [QueueError] in bits 3:0.
  static final Register IQERCD = Register.of("IQERCD_REG", 0xB0, 8);

  /// 11.4.8.2, bits in [IotlbCommand].
  static final Register IVA =
      Register.of("IVA_REG", Capabilities.IOTLB_REGISTER_OFFSET, 8)
          .writable(IotlbCommand.ADDRESS_WRITABLE);

  /// 11.4.8.1, bits in [IotlbCommand].
  static final Register IOTLB =
      Register.of("IOTLB_REG", Capabilities.IOTLB_REGISTER_OFFSET + 8, 8)
          .writable(IotlbCommand.WRITABLE);

  /// 11.4.2, bits in [Capabilities].
  final Register capability;

  /// 11.4.3, bits in [Capabilities].
  final Register extendedCapability;

  /// 11.4.5: the root table, and in bits 11:10 the translation table mode, of which legacy mode, 0,
  /// is the only one.
  final Register rootTableAddress;

  /// 11.4.9.3, bits in [QueueRegisters].
  final Register queueAddress;

  /// 11.4.7.6: the low halves, page address of the fault in bits 63:12.
  final List<Register> faultLow;

  /// 11.4.7.6: the high halves, bits in [FaultRecord].
  final List<Register> faultHigh;

  VtdRegisters(VtdConfig config) {
    capability = Register.of("CAP_REG", 0x08, 8).resetTo(Capabilities.capability(config));
    extendedCapability =
        Register.of("ECAP_REG", 0x10, 8).resetTo(Capabilities.extendedCapability());
    rootTableAddress = Register.of("RTADDR_REG", 0x20, 8).writable(config.addressMask());
    queueAddress =
        Register.of("IQA_REG", 0x90, 8)
            .writable(config.addressMask() | QueueRegisters.QUEUE_SIZE_MASK);
    List<Register> low = new ArrayList<>();
    List<Register> high = new ArrayList<>();
    for (int i = 0; i < config.faultRecordingRegisters(); i++) {
      int offset = Capabilities.FAULT_RECORDING_OFFSET + i * FaultRecord.BYTES;
      low.add(Register.of("FRCD_REG" + i + " low", offset, 8));
      high.add(
          Register.of("FRCD_REG" + i + " high", offset + 8, 8).writeOneToClear(FaultRecord.FAULT));
    }
    faultLow = List.copyOf(low);
    faultHigh = List.copyOf(high);
  }
}
