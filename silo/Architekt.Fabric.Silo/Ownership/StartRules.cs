namespace Architekt.Fabric.Silo.Ownership;

/// <summary>When a host may start a guest, as plain code.</summary>
internal static class StartRules
{
    /// <summary>
    /// Why a VM must not be started; null if it may be. Whoever wants it started has said so in its row before: a message that was held up must not start what has moved on, nor what
    /// has been given up since and may be about to move.
    /// </summary>
    /// <param name="vm">The VM's row; null if there is none.</param>
    /// <param name="host">This host.</param>
    /// <param name="epoch">The epoch it is to be started with.</param>
    public static string? Refusal(VmInfo? vm, string host, long epoch) => vm switch
    {
        null => "it does not exist any more",
        _ when vm.Host != host || vm.Epoch != epoch => $"'{vm.Host}' owns it with epoch {vm.Epoch}",
        { State: VmState.Starting or VmState.Booting } => null,
        _ => $"nobody wants it started any more; it is {vm.State.ToString().ToLowerInvariant()}",
    };
}
