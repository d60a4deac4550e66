/// Intel Virtualization Technology for Directed I/O (VT-d), legacy mode.
///
/// Register, table and fault names are those of the Intel VT-d architecture specification (order
/// number D51397, revisions 3 to 5); sections are cited by the numbering of revision 4. Other
/// models have the same cut, file for file.
///
/// | part | files | sections |
/// |---|---|---|
/// | model | [VtdIommu][dev.sluice.models.vtd.VtdIommu], `VtdConfig`, `InterruptSink` | 2, 11.4.4 |
/// | registers | `VtdRegisters`, `Capabilities`, `GlobalCommand`, `ContextCommand`, `IotlbCommand`, `FaultStatus`, `QueueRegisters` | 11.4 |
/// | tables | `RootEntry`, `ContextEntry`, `SecondStageEntry` | 9.1, 9.3, 9.8 |
/// | walk | `DmaTranslation`, `InterruptRange` | 3.4, 3.7, 3.9, 3.14 |
/// | caches | `ContextCache`, `AbsentPages`, `Caches`; the IOTLB is core's | 6.1, 6.2 |
/// | commands | `InvalidationQueue`, `Descriptor`, `QueueError`, `RegisterInvalidation`, `CacheInvalidation` | 6.5 |
/// | faults | `FaultCode`, `FaultRecord`, `FaultReporting` | 7.1, 7.2 |
/// | events | `EventInterrupt` | 7.3, 6.5.2.11 |
/// | statistics | `VtdCounters`, `VtdStatistics` | |
///
/// Three threads' paths meet here. A *guest's* register write takes the model's lock, decides, lets
/// go, and then begins what it decided. A *device's* translation takes no lock; a refused one takes
/// it to record the fault. The *end of a drain*, on whatever thread, takes it to make the
/// completion visible.
@NullMarked
package dev.sluice.models.vtd;

import org.jspecify.annotations.NullMarked;
