package dev.sluice.models.dart.apple;

import dev.sluice.memory.Access;
import dev.sluice.models.registers.RegisterBank;

/// The registers of one type, and what the rest of the model has to say through them. All methods
/// but [#bank] want the model's lock held.
sealed interface DartRegisters permits T8020Registers, T8110Registers {
  /// Bytes of the registers: Linux wants this many.
  int BYTES = 0x4000;

  RegisterBank bank();

  /// Shows whether an invalidation is not complete.
  void busy(boolean on);

  /// Puts an error into the error register, unless one stands there.
  ///
  /// @param stream as the request came in
  /// @return whether it was put there
  boolean record(int stream, long iova, Access access, int code);

  /// Whether there is an error whose interrupt is not masked.
  boolean wantsInterrupt();
}
