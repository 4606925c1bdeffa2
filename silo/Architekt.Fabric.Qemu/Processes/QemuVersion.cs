namespace Architekt.Fabric.Qemu;

/// <summary>An installed QEMU.</summary>
/// <param name="Path">Full path of the program.</param>
/// <param name="Version">Its version.</param>
/// <param name="Description">Its first line, with the distribution's package version.</param>
public sealed record QemuVersion(string Path, Version Version, string Description);
