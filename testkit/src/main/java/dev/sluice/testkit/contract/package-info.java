/// What holds for any IOMMU, as tests that a model runs through a small adapter: [IommuUnderTest]
/// is the adapter, [IommuContract] the tests, [DrainCheck] marks those that must fail when nothing
/// is drained.
@NullMarked
package dev.sluice.testkit.contract;

import org.jspecify.annotations.NullMarked;
