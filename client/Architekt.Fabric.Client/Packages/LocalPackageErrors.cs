using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Client.Packages;

/// <summary>What can be wrong with a package on this machine, in the fabric's terms.</summary>
internal static class LocalPackageErrors
{
    public static FabricException Translate(PackageException error) => new(
        error.Code switch
        {
            PackageErrorCode.NotFound => FabricErrorCode.NotFound,
            PackageErrorCode.Exists => FabricErrorCode.AlreadyExists,
            PackageErrorCode.NoSpace => FabricErrorCode.NoCapacity,
            PackageErrorCode.UnsupportedVersion => FabricErrorCode.Unsupported,
            _ => FabricErrorCode.Failed,
        },
        error.Message,
        innerException: error);
}
