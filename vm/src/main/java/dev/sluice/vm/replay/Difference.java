package dev.sluice.vm.replay;

/// An answer that is not the recorded one.
///
/// @param recorded the answer that was recorded
/// @param cameOut the answer of the model
record Difference(String recorded, String cameOut) {}
