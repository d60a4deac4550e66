/// The `sluice` command.
module dev.sluice.cli {
  requires dev.sluice.vm;
  requires info.picocli;
  requires tools.jackson.core;
  requires static transitive org.jspecify;

  opens dev.sluice.cli to
      info.picocli;
}
