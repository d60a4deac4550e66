package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrivateAptTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "e: failed to fetch … could not resolve 'archive.example' | check the network",
        "w: failed to fetch … could not connect to archive.example:80, connection timed out | check the network",
        "e: you don't have enough free space in /c/apt/cache/archives/. | Free some room",
        "e: write error - write (28: no space left on device) | Free some room",
        "dpkg-deb: error: paste subprocess: No space left on device | Free some room",
        "E: The repository is not signed. no_pubkey 6ED0E7B82643E131 | debian-archive-keyring",
        "e: unable to locate package qemu-system-x86 | apt-get update",
      })
  void adviceFollowsFromWhatAptSaid(String errors, String advice) {
    assertThat(PrivateApt.adviceFor(errors)).contains(advice);
  }

  @Test
  void anArchivesNameIsAptsOwn() {
    DebPackage qemu = new DebPackage("qemu-system-x86", "1:11.1.3+ds-1~bpo13+1", "amd64");
    assertThat(qemu.fileName()).isEqualTo("qemu-system-x86_1%3a11.1.3+ds-1~bpo13+1_amd64.deb");
    assertThat(qemu.entryName()).isEqualTo("qemu-system-x86_11.1.3+ds-1~bpo13+1");
  }
}
