/// The DART of Apple's own processors: t8020 (as in the M1), t6000 (M1 Pro, Max, Ultra) and t8110
/// (M2).
///
/// There is no public specification. Names, offsets and semantics are those of Linux's drivers
/// (`drivers/iommu/apple-dart.c`, `io-pgtable-dart.c`), and of the Asahi project's m1n1
/// (`proxyclient/m1n1/hw/dart8020.py`, `dart8110.py`, `src/dart.c`) for what Linux does not use.
/// `docs/models/dart.md` lists what none of them says. The cut is that of the other models, file
/// for file.
///
/// | part | files |
/// |---|---|
/// | model | [AppleDartIommu][dev.sluice.models.dart.apple.AppleDartIommu], `AppleDartConfig`, `DartType`, `InterruptLine` |
/// | registers | `DartRegisters`, `T8020Registers`, `T8110Registers`, `Parameters` |
/// | streams | `Streams`, `T8020Stream`, `T8110Stream` |
/// | tables | `DartEntry`, `Dart1Entry`, `Dart2Entry` |
/// | walk | `DmaTranslation`, `TableWalk` |
/// | caches | the IOTLB is core's |
/// | commands | `TlbInvalidation` |
/// | faults | `ErrorCode`, `ErrorReporting` |
/// | statistics | `AppleDartCounters`, `AppleDartStatistics` |
///
/// Three threads' paths meet here. A *guest's* register write takes the model's lock, decides, lets
/// go, and then begins what it decided. A *device's* translation takes no lock; a refused one takes
/// it to record the error. The *end of a drain*, on whatever thread, takes it to clear the busy
/// bit.
@NullMarked
package dev.sluice.models.dart.apple;

import org.jspecify.annotations.NullMarked;
