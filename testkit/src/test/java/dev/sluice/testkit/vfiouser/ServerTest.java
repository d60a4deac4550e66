package dev.sluice.testkit.vfiouser;

import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// What holds over each transport.
@ParameterizedClass
@EnumSource(Transport.class)
abstract class ServerTest extends ServerFixture {}
