using Architekt.Fabric.Peers;

namespace Architekt.Fabric.Silo.Peers;

/// <summary>What goes wrong with a peer, as the fabric reports everything else.</summary>
internal static class PeerErrors
{
    public static FabricException ToFabric(PeerCallException error)
    {
        if (error.IsUnavailable) return FabricException.Unavailable(error.Message, error.InnerException);
        return Enum.TryParse<FabricErrorCode>(error.Code, out var code)
            ? new FabricException(code, error.Message)
            : new FabricException(FabricErrorCode.Internal, error.Message);
    }
}
