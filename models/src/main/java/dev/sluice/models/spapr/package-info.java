/// The IOMMU of a pseries partition (sPAPR): TCE tables that the hypervisor keeps and the guest
/// changes by hypercalls.
///
/// Names, return codes and the order of checks are those of the *Linux on Power Architecture
/// Reference* (LoPAR), the public edition of PAPR; its sections are cited by title, for their
/// numbers differ between editions. The cut is that of the other models, file for file; what is a
/// register elsewhere is a hypercall here.
///
/// | part | files | sections of LoPAR |
/// |---|---|---|
/// | model | [SpaprIommu][dev.sluice.models.spapr.SpaprIommu], `SpaprConfig`, `PartitionableEndpoint`, `VioDevice` | DMA Windows, Dynamic DMA Windows |
/// | tables | `Tce`, `TceTable`, `TcePages`, `TceBudget` | TCE Definition |
/// | windows | `DmaWindow`, `DmaWindows`, `DmaSpace`, `Liobns` | `ibm,dma-window` |
/// | hypercalls | `TceHypercalls`, `TceList`, `Hypercall`, `ReturnCode` | Translation Control Entry Access |
/// | RTAS | `RtasFunction`, `RtasStatus`, `WindowCalls`, `RtasArguments`, `IoPageSizes` | DMA Window Manipulation Calls |
/// | walk | `DmaTranslation` | TCE Definition |
/// | completion | `VirtualCpu`, `HaltedCalls`, `PendingCall` | |
/// | faults | `TceFault`, `TceFaultLog` | |
/// | statistics | `SpaprCounters`, `SpaprStatistics` | |
///
/// Three threads' paths meet here. A *virtual processor's* hypercall changes an entry without a
/// lock, by compare-and-set, and goes on at once when nothing has used what it replaced. A
/// *device's* translation takes no lock either: it marks the entry that it is about to use, in the
/// entry's own word. The *end of a drain*, on whatever thread, resumes the processor that waits for
/// it. `TceTable` says why no use is missed.
@NullMarked
package dev.sluice.models.spapr;

import org.jspecify.annotations.NullMarked;
