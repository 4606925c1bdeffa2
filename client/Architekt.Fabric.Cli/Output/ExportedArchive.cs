using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of an archive that was written.</summary>
internal sealed record ExportedArchive(string Path, string Digest, long FileBytes)
{
    public static ExportedArchive From(ArkInfo archive) => new(archive.Path, archive.Digest, archive.FileSize);
}
