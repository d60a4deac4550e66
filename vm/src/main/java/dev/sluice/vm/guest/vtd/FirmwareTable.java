package dev.sluice.vm.guest.vtd;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.machine.HardwareException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// What firmware's ACPI table says about the remapping hardware (8.1, 8.3): the guest's reading of
/// it, without the 36 bytes of the ACPI header.
///
/// @param registerBase physical address of the unit's registers
/// @param endpoints the functions on bus 0 behind it
public record FirmwareTable(long registerBase, List<RequesterId> endpoints) {
  private static final int HEADER = 12;
  private static final int TYPE_DRHD = 0;
  private static final int SCOPE_HEADER = 6;
  private static final int SCOPE_ENDPOINT = 1;
  private static final int PATH_STEP = 2;

  /// @param endpoints the functions on bus 0 behind it
  public FirmwareTable {
    endpoints = List.copyOf(endpoints);
  }

  /// Reads the first remapping unit of a table.
  ///
  /// @throws HardwareException when the table is cut short or names no unit
  public static FirmwareTable read(byte[] body) throws HardwareException {
    ByteBuffer table = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
    try {
      table.position(HEADER);
      while (table.hasRemaining()) {
        int start = table.position();
        int type = Short.toUnsignedInt(table.getShort());
        int length = Short.toUnsignedInt(table.getShort());
        if (type == TYPE_DRHD) {
          return readUnit(table.slice(start, length).order(ByteOrder.LITTLE_ENDIAN));
        }
        table.position(start + Math.max(length, Integer.BYTES));
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new HardwareException("firmware's DMAR table is cut short", e);
    }
    throw new HardwareException("firmware's DMAR table names no remapping unit");
  }

  private static FirmwareTable readUnit(ByteBuffer unit) {
    unit.position(8);
    long base = unit.getLong();
    List<RequesterId> endpoints = new ArrayList<>();
    while (unit.hasRemaining()) {
      int start = unit.position();
      int type = unit.get();
      int length = Byte.toUnsignedInt(unit.get());
      int bus = Byte.toUnsignedInt(unit.get(start + SCOPE_HEADER - 1));
      if (type == SCOPE_ENDPOINT && length == SCOPE_HEADER + PATH_STEP) {
        endpoints.add(
            RequesterId.of(
                bus, unit.get(start + SCOPE_HEADER), unit.get(start + SCOPE_HEADER + 1)));
      }
      unit.position(start + Math.max(length, PATH_STEP));
    }
    return new FirmwareTable(base, endpoints);
  }
}
