package dev.sluice.testkit.soak;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import java.util.List;

/// An IOMMU model under soak, driven as a guest's operating system drives it. Any thread may call
/// anything here.
///
/// Tables are changed in guest memory through [SoakMemory], with code that shares nothing with the
/// model's own. Address spaces are small numbers from 0; the adapter gives each its tables.
public interface SoakIommu extends AutoCloseable {
  /// The model.
  Iommu iommu();

  /// Puts memory behind an address, in place of what was there. Changes tables, invalidates
  /// nothing.
  ///
  /// @param iova a multiple of the size
  /// @param address guest-physical, a multiple of the size
  /// @param order log2 of the number of 4 KiB pages: 0, or [#largeOrder]
  void map(int space, long iova, long address, int order, Access rights);

  /// Takes memory away from behind an address. Changes tables, invalidates nothing.
  void unmap(int space, long iova, int order);

  /// Log2 of the number of 4 KiB pages in the large page that the soak uses.
  int largeOrder();

  /// Gives a requester, which has none, an address space. Changes tables, invalidates nothing.
  void bind(RequesterId requester, int space);

  /// Takes a requester's address space away. Changes tables, invalidates nothing.
  void unbind(RequesterId requester);

  /// Asks the model to forget, and returns when the guest can see that all of it is complete.
  ///
  /// @param guest which of the guest's processors asks
  /// @param waiting waits
  void invalidate(int guest, List<Scope> scopes, Waiting waiting);

  @Override
  void close();
}
