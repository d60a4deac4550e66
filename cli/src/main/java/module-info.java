/// The `sluice` command.
module dev.sluice.cli {
  requires dev.sluice.vm;
  requires info.picocli;
  requires tools.jackson.core;
  requires static transitive org.jspecify;

  provides System.LoggerFinder with
      dev.sluice.cli.Loggers;

  opens dev.sluice.cli to
      info.picocli;
}
