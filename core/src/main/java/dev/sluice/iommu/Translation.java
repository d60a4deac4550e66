package dev.sluice.iommu;

import dev.sluice.memory.Access;

/// What a model answers when it is asked for an address.
public sealed interface Translation {

  /// A page that the requester may touch; or a part of one, where the architecture protects less
  /// than 4 KiB, which is good for this access and not to be cached.
  ///
  /// @param iova the page's first I/O virtual address, a multiple of the page's size
  /// @param address its first guest-physical address, a multiple of the page's size
  /// @param shift log2 of the page's size in bytes, 0 to 63; [Iotlb#insert] takes 12 or more
  /// @param readable whether reads are allowed
  /// @param writable whether writes are allowed
  /// @param tag the address space it belongs to, by the model's own numbering (VT-d: the domain
  ///   id); invalidations name it
  record Page(long iova, long address, int shift, boolean readable, boolean writable, long tag)
      implements Translation {
    /// Checks the alignment, which the IOTLB relies on.
    public Page {
      if (shift < 0 || shift > 63) {
        throw new IllegalArgumentException("page shift must be 0 to 63: " + shift);
      }
      long low = (1L << shift) - 1;
      if (((iova | address) & low) != 0) {
        throw new IllegalArgumentException(
            "page of 2^%d bytes at 0x%x -> 0x%x is not aligned".formatted(shift, iova, address));
      }
    }

    /// Whether the page has this I/O virtual address.
    public boolean contains(long someIova) {
      return (someIova ^ iova) >>> shift == 0;
    }

    /// Whether the page may be used so.
    public boolean allows(Access access) {
      return (readable || !access.reads()) && (writable || !access.writes());
    }

    /// The page's last I/O virtual address.
    public long last() {
      return iova | ((1L << shift) - 1);
    }

    /// The guest-physical address behind an I/O virtual address of this page.
    public long translate(long someIova) {
      return address | (someIova & ((1L << shift) - 1));
    }
  }

  /// The access is refused.
  ///
  /// @param reason for the device
  /// @param code the architecture's own fault code
  /// @param recorded whether the guest's tables want the fault recorded (VT-d: fault processing
  ///   disable is clear)
  record Fault(AbortReason reason, int code, boolean recorded) implements Translation {}

  /// The access is an interrupt message, not an access to memory.
  record Interrupt() implements Translation {}
}
