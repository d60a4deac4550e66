package dev.sluice.testkit.soak;

import dev.sluice.memory.Access;
import org.jspecify.annotations.Nullable;

/// What the guest lets devices do with a slot during one tenancy.
enum Grant {
  /// Nothing: every access is refused.
  NONE(null),
  /// Reads.
  READ(Access.READ),
  /// Writes.
  WRITE(Access.WRITE),
  /// Both.
  READ_WRITE(Access.READ_WRITE);

  final @Nullable Access rights;

  Grant(@Nullable Access rights) {
    this.rights = rights;
  }

  boolean allows(Access access) {
    return rights != null
        && (rights.reads() || !access.reads())
        && (rights.writes() || !access.writes());
  }
}
