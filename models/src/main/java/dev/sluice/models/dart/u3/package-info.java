/// The DART of the Apple U3 and U4 (IBM CPC925 and CPC945) bridges: the IOMMU of the Power Mac G5.
///
/// There is no public specification. Names, offsets and semantics are those of Linux's driver
/// (`arch/powerpc/sysdev/dart_iommu.c`, `dart.h`); of Xen's for PowerPC (`dart_u3.c`, `dart_u4.c`),
/// which has the fields of the U4's registers; and of Darwin's (`AppleDART`, `AppleU3`), which has
/// the exception codes. `docs/models/dart.md` lists what each of them says and what none does. The
/// cut is that of the other models, file for file.
///
/// | part | files |
/// |---|---|
/// | model | [U3DartIommu][dev.sluice.models.dart.u3.U3DartIommu], `U3DartConfig`, `Bridge`, `ChipFault` |
/// | registers | `DartRegisters`, `U3Control`, `U4Control` |
/// | tables | `DartEntry` |
/// | walk | `DmaTranslation` |
/// | caches | the IOTLB is core's |
/// | commands | `TlbInvalidation`, `TlbRequest` |
/// | faults | `ExceptionCode`, `ExceptionRecord` |
/// | statistics | `U3DartCounters`, `U3DartStatistics` |
@NullMarked
package dev.sluice.models.dart.u3;

import org.jspecify.annotations.NullMarked;
