package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.tngtech.archunit.core.domain.JavaClass;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// On machines that are whole but for the drain, each check of the drain fails on each model, and
/// says why: so none of them passes for a reason of its own.
class DrainSwitchedOffTest {
  private static final List<Method> CHECKS =
      Arrays.stream(IommuContract.class.getMethods())
          .filter(method -> method.isAnnotationPresent(DrainCheck.class))
          .toList();

  @TestFactory
  Stream<DynamicContainer> everyCheckOfTheDrainFails() {
    assertThat(CHECKS).isNotEmpty();
    return Contracts.all().stream()
        .map(contract ->
            DynamicContainer.dynamicContainer(
                contract.getSimpleName(),
                CHECKS.stream().flatMap(check -> failures(contract, check))));
  }

  private static Stream<DynamicTest> failures(JavaClass contract, Method check) {
    return arguments(check).stream()
        .map(arguments ->
            DynamicTest.dynamicTest(
                check.getName() + arguments, () -> assertFails(contract, check, arguments)));
  }

  /// None, or each constant of its parameter's type.
  private static List<List<Object>> arguments(Method check) {
    if (check.getParameterCount() == 0) {
      return List.of(List.of());
    }
    List<List<Object>> all = new ArrayList<>();
    for (Object constant : check.getParameterTypes()[0].getEnumConstants()) {
      all.add(List.of(constant));
    }
    return all;
  }

  private static void assertFails(JavaClass contract, Method check, List<Object> arguments)
      throws ReflectiveOperationException {
    Constructor<?> constructor = contract.reflect().getDeclaredConstructor();
    IommuContract subject = (IommuContract) constructor.newInstance();
    subject.switchDrainOff();
    try {
      Throwable thrown = catchThrowable(() -> check.invoke(subject, arguments.toArray()));
      assertThat(thrown)
          .as("%s passes although nothing is drained", check.getName())
          .isInstanceOf(InvocationTargetException.class);
      assertThat(thrown.getCause())
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining(check.getAnnotation(DrainCheck.class).failure());
    } finally {
      subject.close();
    }
  }
}
