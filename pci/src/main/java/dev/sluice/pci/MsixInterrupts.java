package dev.sluice.pci;

/// Delivers a function's interrupts as its own MSI-X table says: what a platform in this process
/// uses, where a virtual machine monitor would use its copy of the table.
///
/// A masked message waits as a pending bit and goes out when the mask is cleared (PCIe 6.1.4.5 and
/// 6.1.4.6); several become one.
public final class MsixInterrupts implements Interrupts {
  private final MsixCapability msix;
  private final MessageSink sink;

  /// Where messages go.
  public interface MessageSink {
    /// Writes the 32 bits of `data` to `address`, in the address space of the interrupt controller.
    void message(long address, int data);
  }

  /// Delivers what `msix` allows to `sink`.
  public MsixInterrupts(MsixCapability msix, MessageSink sink) {
    this.msix = msix;
    this.sink = sink;
    msix.table().onMaskChange(this::deliverPending);
  }

  @Override
  public void signal(int vector) {
    if (!msix.enabled()) {
      return;
    }
    MsixTable table = msix.table();
    table.pending(vector, true);
    deliver(vector);
  }

  /// Nothing: a function that uses MSI-X here has no pin.
  @Override
  public void pin(boolean asserted) {}

  private void deliverPending() {
    if (msix.enabled()) {
      for (int vector = 0; vector < msix.vectors(); vector++) {
        deliver(vector);
      }
    }
  }

  /// Sends the message of a pending vector unless it is masked.
  private void deliver(int vector) {
    MsixTable table = msix.table();
    long address;
    int data;
    synchronized (table) {
      if (!table.pending(vector) || table.masked(vector) || msix.functionMasked()) {
        return;
      }
      table.pending(vector, false);
      address = table.address(vector);
      data = table.data(vector);
    }
    sink.message(address, data);
  }
}
