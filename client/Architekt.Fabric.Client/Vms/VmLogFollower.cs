using System.Runtime.CompilerServices;
using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Vms;

/// <summary>Reads a console log piece by piece, across moves and restarts, until the VM has ended.</summary>
internal sealed class VmLogFollower(FabricClientOptions options, string name, FabricClient client)
{
    // Short enough that a grain which answers one call at a time is not kept from others for long.
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(1);

    public async IAsyncEnumerable<VmLog> FollowAsync(long offset, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var patience = new Patience(options);
        var time = options.TimeProvider;
        long? epoch = null;
        var hasEnded = false;
        while (true)
        {
            VmLog piece;
            var startedAt = time.GetTimestamp();
            try
            {
                piece = await client.ReadLogAsync(name, offset, hasEnded ? TimeSpan.Zero : _wait, cancellationToken).ConfigureAwait(false);
                patience.Reset();
            }
            catch (FabricException error) when (error.IsTransient)
            {
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (epoch is not null && piece.Epoch != epoch)
            {
                // The VM has moved and its log starts anew; what was just read belongs to another position.
                epoch = piece.Epoch;
                offset = 0;
                continue;
            }

            epoch = piece.Epoch;
            offset = piece.NextOffset;
            if (piece.Data.Length > 0)
            {
                yield return piece;
                continue;
            }

            // One more read after the end was seen, for what was printed between the read and the look.
            if (hasEnded) yield break;
            hasEnded = await HasEndedAsync(cancellationToken).ConfigureAwait(false);
            if (!hasEnded && time.GetElapsedTime(startedAt) < options.RetryDelay)
                await Task.Delay(options.RetryDelay, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> HasEndedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var vm = await client.FindVmAsync(name, cancellationToken).ConfigureAwait(false);
            return vm is null or { State: VmState.Stopped or VmState.Failed };
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return false;
        }
    }
}
