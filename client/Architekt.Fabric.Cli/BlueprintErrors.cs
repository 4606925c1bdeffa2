using Architekt.Fabric.Blueprints;

namespace Architekt.Fabric.Cli;

/// <summary>Why a blueprint could not be built, as the command reports everything else.</summary>
internal static class BlueprintErrors
{
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await PackageErrors.TranslateAsync(work).ConfigureAwait(false);
        }
        catch (BlueprintException error)
        {
            throw new FabricException(CodeOf(error.Code), error.Message, innerException: error);
        }
    }

    private static FabricErrorCode CodeOf(BlueprintErrorCode code) => code switch
    {
        BlueprintErrorCode.NotFound => FabricErrorCode.NotFound,
        BlueprintErrorCode.Exists => FabricErrorCode.AlreadyExists,
        BlueprintErrorCode.Unsupported => FabricErrorCode.Unsupported,
        _ => FabricErrorCode.Failed,
    };
}
