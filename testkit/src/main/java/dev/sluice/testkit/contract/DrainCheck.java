package dev.sluice.testkit.contract;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// A test that must fail on a machine whose drain is switched off. Without parameters, or with one
/// of an enum type.
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface DrainCheck {
  /// What its message says then, among other things.
  String failure() default "the invalidation is complete although";
}
