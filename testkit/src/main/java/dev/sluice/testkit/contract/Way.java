package dev.sluice.testkit.contract;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.memory.Word;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// The ways into memory that an invalidation has to wait for, each held open in the middle.
///
/// Copies, loads and stores are stopped in memory that is reached by messages, as nothing else is
/// slow enough. Atomic operations exist in RAM only, where none can be stopped: `core`'s races are
/// what shows that they are waited for.
enum Way {
  /// A mapping of one page.
  MAPPING {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      Mapping mapping = ContractMachine.mapping(device, machine.iova(0), machine.page());
      return held(mapping);
    }
  },
  /// A mapping of all the pages.
  MAPPING_OF_MANY_PAGES {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      Mapping mapping =
          ContractMachine.mapping(device, machine.iova(0), (long) PAGES * machine.page());
      return held(mapping);
    }
  },
  /// A read of many bytes.
  READ {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return stopped(machine, iova -> device.read(iova, buffer(), 0, BYTES));
    }
  },
  /// A write of many bytes.
  WRITE {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return stopped(machine, iova -> device.write(iova, buffer(), 0, BYTES));
    }
  },
  /// A fill.
  FILL {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return stopped(machine, iova -> device.fill(iova, BYTES, (byte) 1));
    }
  },
  /// A load.
  LOAD {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return stopped(machine, iova -> device.load(iova, 8, ByteOrder.LITTLE_ENDIAN, new Word()));
    }
  },
  /// A store.
  STORE {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return stopped(machine, iova -> device.store(iova, 8, ByteOrder.LITTLE_ENDIAN, 1));
    }
  },
  /// The kernel reads a file into a mapping that is closed meanwhile.
  KERNEL_INPUT {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return kernel(machine, device, true);
    }
  },
  /// The kernel writes a mapping, closed meanwhile, to a file.
  KERNEL_OUTPUT {
    @Override
    UnderWay begin(ContractMachine machine, DmaContext device) {
      return kernel(machine, device, false);
    }
  };

  /// Pages that the guest maps for it, from page 0 on, to [#frame].
  static final int PAGES = 3;

  private static final int BYTES = 512;

  /// Begins an access to pages 0 to 2, and returns when it is in the middle.
  abstract UnderWay begin(ContractMachine machine, DmaContext device);

  /// An access that is under way; its end is the end of its thread.
  interface UnderWay extends AutoCloseable {
    @Override
    void close();
  }

  /// Where the guest has the pages lead.
  long frame(ContractMachine machine, int number) {
    return switch (this) {
      case MAPPING, MAPPING_OF_MANY_PAGES, KERNEL_INPUT, KERNEL_OUTPUT -> machine.frame(number);
      case READ, WRITE, FILL, LOAD, STORE -> machine.messagePage(number);
    };
  }

  private static MemorySegment buffer() {
    return Arena.ofAuto().allocate(BYTES);
  }

  private static UnderWay held(Mapping mapping) {
    return mapping::close;
  }

  /// @param access of [#BYTES] bytes or fewer
  private static UnderWay stopped(ContractMachine machine, Access access) {
    Gate gate = new Gate();
    machine.memory().port().stopNext(gate);
    Running thread =
        Running.start(() -> {
          TargetAbort abort = access.at(machine.iova(0));
          if (abort != null) {
            throw new AssertionError("refused: " + abort);
          }
        });
    return thread.untilOpened(gate);
  }

  /// One access by a device.
  private interface Access {
    @Nullable TargetAbort at(long iova);
  }

  private static UnderWay kernel(ContractMachine machine, DmaContext device, boolean input) {
    Gate gate = new Gate();
    Mapping mapping = ContractMachine.mapping(device, machine.iova(0), machine.page());
    Running thread =
        Running.start(() -> {
          try (GatedFile file = new GatedFile(gate, (byte) 1)) {
            int moved =
                input ? mapping.readFrom(file, 0, 0, BYTES) : mapping.writeTo(file, 0, 0, BYTES);
            if (moved != BYTES) {
              throw new AssertionError("the kernel moved " + moved + " bytes");
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    UnderWay underWay = thread.untilOpened(gate);
    mapping.close();
    return underWay;
  }
}
