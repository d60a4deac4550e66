/// An NVM Express controller with one namespace on a raw image file.
///
/// The classes follow the path of a command: [ControllerRegisters] takes the guest's register and
/// doorbell writes, [Lifecycle] turns CC into a [Run], the worker threads of [WorkerPool] fetch
/// entries from [SubmissionQueue]s, [IoCommands] and [AdminCommands] execute them, [DataPointer]
/// finds the guest's buffers, and a [CompletionQueue] takes the result back.
///
/// Register, command and status names are those of the NVM Express Base Specification 1.4, and each
/// class cites the section that it implements.
@NullMarked
package dev.sluice.pci.nvme;

import org.jspecify.annotations.NullMarked;
