package dev.sluice.vm.kit;

/// A Debian package as apt has chosen it.
///
/// @param name such as `libc6`
/// @param version with its epoch, such as `1:11.1.3+ds-1~bpo13+1`
/// @param architecture such as `amd64` or `all`
record DebPackage(String name, String version, String architecture) {
  /// The name under which apt keeps the package among its archives.
  String fileName() {
    return name + "_" + version.replace(":", "%3a") + "_" + architecture + ".deb";
  }

  /// A name for what is unpacked from it, without characters that a folder's name should not have.
  String entryName() {
    return name + "_" + version.replaceFirst("^[0-9]+:", "");
  }
}
