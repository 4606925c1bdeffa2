namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Which machines a QEMU can build: a device state can only be loaded into the machine that saved it, and QEMU versions those of q35.</summary>
internal static class QemuMachines
{
    private const string Versioned = "q35";

    /// <summary>Version of the machine type that <paramref name="qemuVersion"/> had as its newest; null for a type without versions.</summary>
    public static string? VersionOf(string machineType, string qemuVersion) =>
        machineType == Versioned && Version.TryParse(qemuVersion, out var version) ? version.ToString(2) : null;

    /// <summary>What is wrong with a host's QEMU for a machine, such as "the older 7.2.22"; null if it can build the same.</summary>
    /// <param name="machineType">q35 or microvm.</param>
    /// <param name="qemuVersion">The QEMU whose machine it is.</param>
    /// <param name="hostVersion">The host's.</param>
    public static string? Refusal(string machineType, string? qemuVersion, Version hostVersion)
    {
        if (!Version.TryParse(qemuVersion, out var version)) return null;
        if (version > hostVersion) return $"the older {hostVersion}";

        // Without versions there is no way to ask for the machine of another QEMU.
        return machineType != Versioned && (version.Major, version.Minor) != (hostVersion.Major, hostVersion.Minor)
            ? $"{hostVersion}, whose {machineType} is another machine"
            : null;
    }
}
