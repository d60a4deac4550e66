/// The protocol of accesses, mappings and invalidations as a model that is searched exhaustively:
/// every order of steps, with the delays that a processor's store buffers add.
///
/// Start at [dev.sluice.iommu.model.Scenario] for what a model is made of and what the processor
/// may do, then read one scenario beside the class that it models;
/// [dev.sluice.iommu.model.ProtocolModelTest] runs all of them, and each again with each line of
/// the protocol left out.
@NullMarked
package dev.sluice.iommu.model;

import org.jspecify.annotations.NullMarked;
