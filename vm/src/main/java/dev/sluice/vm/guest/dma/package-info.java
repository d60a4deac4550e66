/// A kernel's DMA layer: how a driver gets the addresses that its device may use.
@NullMarked
package dev.sluice.vm.guest.dma;

import org.jspecify.annotations.NullMarked;
