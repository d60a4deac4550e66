package dev.sluice.testkit.contract;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import java.util.List;
import java.util.random.RandomGenerator;

/// One model, with a guest's driver for it: what the contract needs to know of an architecture.
///
/// A new one has memory and no devices, and translates. Domains are address spaces, numbered from
/// 0. The driver is one processor's; several where the architecture halts the one that asks.
public interface IommuUnderTest extends AutoCloseable {
  /// The model.
  Iommu iommu();

  /// What it has and has not.
  Abilities abilities();

  /// Puts a function behind the IOMMU and into a domain.
  ///
  /// @param number 0 to 7, of a function that was not attached before
  /// @return the function's requester id
  RequesterId attach(int number, int domain);

  /// Maps a page where nothing is mapped, and does what it takes for devices to see it.
  ///
  /// @param size one of the model's
  /// @param iova a multiple of the size
  /// @param address guest-physical, likewise
  /// @throws UnsupportedOperationException when the architecture has no pages with these rights
  void map(int domain, long iova, long address, PageSize size, Access rights);

  /// Has a page of the smallest size, which is mapped, lead elsewhere, and asks for the old one to
  /// be forgotten, as exactly as the architecture can.
  Request remap(int domain, long iova, long address);

  /// Unmaps pages of the smallest size, and asks for them to be forgotten, as exactly as the
  /// architecture can.
  Request unmap(int domain, long iova, int pages);

  /// Unmaps all pages, of a domain or of all, and asks for all to be forgotten at once.
  ///
  /// @param width DOMAIN or EVERYTHING, if the model has it
  /// @throws UnsupportedOperationException when the architecture has no such thing
  Request clear(Width width, int domain);

  /// Asks for a page to be forgotten, by every means that does not wait for what was asked before,
  /// as a guest does that wants to be remembered in as many places as it can. The driver has lost
  /// its way afterwards: [#reset] comes next.
  void flood(int domain, long iova);

  /// How often the guest was told of a completion without having to look: interrupts, processors
  /// resumed. 0 where it polls.
  int notices();

  /// The refused accesses that the guest finds, oldest first; takes them off.
  List<FaultReport> takeFaults();

  /// Resets the IOMMU, and sets it up again with empty domains and the functions where they were,
  /// as firmware and driver would.
  ///
  /// @return complete when nothing from before is under way any more
  Request reset();

  /// Fills whatever a hostile guest can with rubbish: the tables that devices are translated by, or
  /// the arguments of calls.
  void scribble(RandomGenerator random);

  @Override
  void close();
}
