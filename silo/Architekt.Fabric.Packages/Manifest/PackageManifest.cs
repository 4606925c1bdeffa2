using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>What a package says about itself (<c>manifest.json</c>). Its digest is the package's identity.</summary>
public sealed record PackageManifest
{
    /// <summary>The newest format this version reads, and the one it writes.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>The name of the manifest's file.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The longest manifest that is read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The version of the format, from 1.</summary>
    [JsonRequired]
    public required int FormatVersion { get; init; }

    /// <summary>The name the package proposes for itself: 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.</summary>
    [JsonRequired]
    public required string Name { get; init; }

    /// <summary>Whether it boots or resumes.</summary>
    [JsonRequired]
    public required PackageKind Kind { get; init; }

    /// <summary>The guest's processor architecture; <c>x86_64</c>.</summary>
    [JsonRequired]
    public required string Architecture { get; init; }

    /// <summary>The machine it was made for.</summary>
    [JsonRequired]
    public required PackageMachineType MachineType { get; init; }

    /// <summary>The version of the QEMU that saved the state, such as 7.2.22; required for a package, of no use to a blueprint.</summary>
    public string? QemuVersion { get; init; }

    /// <summary>The machine whose state was saved; required for a package, and a blueprint has none.</summary>
    public PackageMachine? Machine { get; init; }

    /// <summary>
    /// CPU features the guest must find, by QEMU's names: those it has seen, where memory and state were saved. None is known of a package without.
    /// </summary>
    public IReadOnlyList<string> CpuFeatures { get; init; } = [];

    /// <summary>How many virtual CPUs, 1 to 255.</summary>
    [JsonRequired]
    public required int Vcpus { get; init; }

    /// <summary>The size of the RAM in bytes, a multiple of 2 MiB.</summary>
    [JsonRequired]
    public required long MemoryBytes { get; init; }

    /// <summary>The kernel's command line, at most 2047 characters of ASCII (COMMAND_LINE_SIZE, arch/x86/include/asm/setup.h).</summary>
    public string KernelCommandLine { get; init; } = "";

    /// <summary>The ports of the guest's agents.</summary>
    public AgentPorts AgentPorts { get; init; } = new();

    /// <summary>The files.</summary>
    [JsonRequired]
    public required IReadOnlyList<PackageEntry> Entries { get; init; }

    /// <summary>When it was made.</summary>
    [JsonRequired]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Notes of whoever made it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Reads and validates a manifest.</summary>
    /// <param name="utf8">Its bytes.</param>
    /// <param name="source">Where they are from, for error messages.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.UnsupportedVersion"/>.</exception>
    public static PackageManifest Parse(ReadOnlySpan<byte> utf8, string source)
    {
        try
        {
            // On its own and first: what else a newer format says may not even have a shape we know.
            var version = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.FormatProbe)?.FormatVersion;
            if (version > CurrentFormatVersion)
            {
                throw new PackageException(
                    PackageErrorCode.UnsupportedVersion,
                    $"{source} has format version {version}; this version reads up to {CurrentFormatVersion}. Update the fabric on this host.");
            }

            var manifest = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.PackageManifest)
                ?? throw new JsonException("null is not a manifest.");
            ManifestRules.Check(manifest, source);
            return manifest;
        }
        catch (JsonException error)
        {
            throw new PackageException(PackageErrorCode.Invalid, $"{source} is not a valid manifest: {error.Message}", error);
        }
    }

    /// <summary>The digest of a manifest's bytes, and so of its package: <c>sha256-</c> and 64 hexadecimal digits.</summary>
    public static string DigestOf(ReadOnlySpan<byte> utf8) => PackageDigest.Prefix + Convert.ToHexStringLower(SHA256.HashData(utf8));

    /// <summary>The manifest as it is written to a file, after validating it.</summary>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/>.</exception>
    public byte[] ToUtf8()
    {
        ManifestRules.Check(this, "The manifest");
        return JsonSerializer.SerializeToUtf8Bytes(this, ManifestJsonContext.Default.PackageManifest);
    }
}
