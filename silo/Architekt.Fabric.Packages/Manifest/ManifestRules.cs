using System.Text.RegularExpressions;

namespace Architekt.Fabric.Packages;

/// <summary>
/// What a manifest must keep to. It comes from anywhere, and its words end up in file names and on QEMU's command line, so each has its own narrow alphabet.
/// </summary>
internal static partial class ManifestRules
{
    internal const long MemoryGranularity = 2 * 1024 * 1024;
    private const long MaxMemoryBytes = 16L << 40;
    private const long MaxEntrySize = 1L << 50;
    private const int SectorSize = 512;
    private const int MaxVcpus = 255;
    private const int MaxCommandLine = 2047;

    /// <summary>QEMU 7.2 has names for 320 of them, later ones for more.</summary>
    private const int MaxCpuFeatures = 1024;

    private const int MaxLabels = 64;
    private const int MaxLabelValue = 1024;

    internal static bool IsName(string text) => NamePattern().IsMatch(text) && !text.StartsWith(PackageDigest.Prefix, StringComparison.Ordinal);

    /// <summary>Whether a store may call a package so: a name, or a name and a tag. Nothing that could be meant as a digest.</summary>
    internal static bool IsStoreName(string text) =>
        StoreNamePattern().IsMatch(text) && !text.StartsWith(PackageDigest.Prefix, StringComparison.Ordinal) && !text.StartsWith("sha256:", StringComparison.Ordinal);

    internal static string StoreNameProblem(string name) =>
        $"'{Shown.Short(name)}' is not a name for a package: 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, then, if wanted, ':' and a tag of 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'; and not like a digest.";

    /// <exception cref="PackageException">The first rule that is broken.</exception>
    internal static void Check(PackageManifest manifest, string source)
    {
        if (Problem(manifest) is { } problem)
            throw new PackageException(PackageErrorCode.Invalid, $"{source} is not a valid manifest: {problem}");
    }

    internal static string NameProblem(string name) =>
        $"'{Shown.Short(name)}' is not a package name: 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, and not like a digest.";

    private static string? Problem(PackageManifest manifest)
    {
        if (manifest.FormatVersion != PackageManifest.CurrentFormatVersion)
            return $"there is no format version {manifest.FormatVersion}.";
        if (!IsName(manifest.Name))
            return NameProblem(manifest.Name);
        if (manifest.Architecture != "x86_64")
            return $"the architecture '{Shown.Short(manifest.Architecture)}' is unknown; this version knows x86_64.";
        if (!Enum.IsDefined(manifest.Kind) || !Enum.IsDefined(manifest.MachineType))
            return "its kind or machine type is unknown.";
        if (manifest.Vcpus is < 1 or > MaxVcpus)
            return $"vcpus must be 1 to {MaxVcpus}, not {manifest.Vcpus}.";
        if (manifest.MemoryBytes is <= 0 or > MaxMemoryBytes || manifest.MemoryBytes % MemoryGranularity != 0)
            return $"memoryBytes must be a positive multiple of 2 MiB ({MemoryGranularity}) of at most 16 TiB, not {manifest.MemoryBytes}.";
        if (manifest.KernelCommandLine.Length > MaxCommandLine || !manifest.KernelCommandLine.All(character => character is >= ' ' and <= '~'))
            return $"kernelCommandLine must be at most {MaxCommandLine} printable ASCII characters.";
        return MachineProblem(manifest) ?? QemuProblem(manifest) ?? LabelProblem(manifest) ?? EntryProblem(manifest);
    }

    private static string? MachineProblem(PackageManifest manifest)
    {
        if (manifest.Machine is not { } machine)
            return manifest.Kind == PackageKind.Package ? "a package must have a machine: its state can only be loaded into the same one." : null;
        if (manifest.Kind == PackageKind.Blueprint)
            return "a blueprint has no machine: it boots on any.";
        if (machine.Accelerator is not ("kvm" or "tcg"))
            return $"the machine's accelerator must be kvm or tcg, not '{Shown.Short(machine.Accelerator)}'.";
        if (!PortPattern().IsMatch(machine.CpuModel))
            return $"'{Shown.Short(machine.CpuModel)}' is not a CPU model's name.";
        return machine.Mac is { } mac && !MacPattern().IsMatch(mac)
            ? $"the machine's mac must be like 52:54:00:12:34:56, in lower case, not '{Shown.Short(mac)}'."
            : null;
    }

    private static string? QemuProblem(PackageManifest manifest)
    {
        if (manifest.QemuVersion is null && manifest.Kind == PackageKind.Package)
            return "a package must have a qemuVersion: its state can only be loaded knowing who saved it.";
        if (manifest.QemuVersion is { } version && !VersionPattern().IsMatch(version))
            return $"qemuVersion must be like 7.2.22, not '{Shown.Short(version)}'.";
        if (manifest.CpuFeatures.Count > MaxCpuFeatures)
            return $"there are {manifest.CpuFeatures.Count} cpuFeatures; at most {MaxCpuFeatures} are allowed.";
        foreach (var feature in manifest.CpuFeatures)
        {
            if (feature is null || !FeaturePattern().IsMatch(feature))
                return $"'{Shown.Short(feature ?? "null")}' is not a CPU feature's name.";
        }

        foreach (var port in new[] { manifest.AgentPorts.Liveness, manifest.AgentPorts.Agent })
        {
            if (port is not null && !PortPattern().IsMatch(port))
                return $"'{Shown.Short(port)}' is not a port's name: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.";
        }

        return manifest.AgentPorts.Liveness is { } liveness && liveness == manifest.AgentPorts.Agent ? "both agent ports have the same name." : null;
    }

    private static string? LabelProblem(PackageManifest manifest)
    {
        if (manifest.Labels.Count > MaxLabels)
            return $"there are {manifest.Labels.Count} labels; at most {MaxLabels} are allowed.";
        foreach (var (key, value) in manifest.Labels)
        {
            if (!PortPattern().IsMatch(key))
                return $"'{Shown.Short(key)}' is not a label's name: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.";
            if (value is null || value.Length > MaxLabelValue || value.Any(char.IsControl))
                return $"the label '{key}' must be text of at most {MaxLabelValue} characters without control characters.";
        }

        return null;
    }

    private static string? EntryProblem(PackageManifest manifest)
    {
        var expected = PackageEntryNames.Of(manifest.Kind);
        var kind = manifest.Kind.ToString().ToLowerInvariant();
        var seen = new HashSet<string>();
        foreach (var entry in manifest.Entries)
        {
            if (entry is null)
                return "an entry is null.";
            if (!expected.Contains(entry.Name))
                return $"a {kind} has no entry '{Shown.Short(entry.Name)}'; it has {string.Join(", ", expected)}.";
            if (!seen.Add(entry.Name))
                return $"the entry '{entry.Name}' is there twice.";
            if (entry.Size is <= 0 or > MaxEntrySize)
                return $"the entry '{entry.Name}' cannot have a size of {entry.Size} bytes.";
            if (!PackageDigest.IsSha256(entry.Sha256))
                return $"the sha256 of '{entry.Name}' must be {PackageDigest.HexLength} lower-case hexadecimal digits, not '{Shown.Short(entry.Sha256)}'.";
            if (entry.Name == PackageEntryNames.Disk && entry.Size % SectorSize != 0)
                return $"the disk's size must be a multiple of {SectorSize} bytes, not {entry.Size}.";
            if (entry.Name == PackageEntryNames.Memory && entry.Size != manifest.MemoryBytes)
                return $"the memory's size is {entry.Size} bytes, but memoryBytes says {manifest.MemoryBytes}.";
        }

        return expected.FirstOrDefault(name => !seen.Contains(name)) is { } missing ? $"a {kind} needs the entry '{missing}'." : null;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}(:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?\z")]
    private static partial Regex StoreNamePattern();

    [GeneratedRegex(@"\A[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?\z")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z")]
    private static partial Regex FeaturePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex PortPattern();

    [GeneratedRegex(@"\A[0-9a-f]{2}(:[0-9a-f]{2}){5}\z")]
    private static partial Regex MacPattern();
}
