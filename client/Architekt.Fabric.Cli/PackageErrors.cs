using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli;

/// <summary>What went wrong with a package on this machine, as the command reports everything else.</summary>
internal static class PackageErrors
{
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (PackageException error)
        {
            throw new FabricException(CodeOf(error.Code), error.Message, innerException: error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new FabricException(FabricErrorCode.Failed, error.Message, innerException: error);
        }
    }

    // The command line was right when a package turns out to be damaged: that is a failure, not a wrong use.
    private static FabricErrorCode CodeOf(PackageErrorCode code) => code switch
    {
        PackageErrorCode.NotFound => FabricErrorCode.NotFound,
        PackageErrorCode.Exists => FabricErrorCode.AlreadyExists,
        PackageErrorCode.NoSpace => FabricErrorCode.NoCapacity,
        PackageErrorCode.UnsupportedVersion => FabricErrorCode.Unsupported,
        _ => FabricErrorCode.Failed,
    };
}
