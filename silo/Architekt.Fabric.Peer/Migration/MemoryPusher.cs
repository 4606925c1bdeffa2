using Architekt.Fabric.Memory;
using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>Sends ranges of guest RAM to the destination's export, straight from the mapping, many requests at a time.</summary>
internal sealed class MemoryPusher(GuestMemory memory, INbdClient export, TimeProvider time)
{
    private const int LongestRun = 1 << 20;
    private const int MostInFlight = 128;
    private readonly Queue<Task> _window = new(MostInFlight);

    /// <summary>Sends the ranges and waits until the destination has acknowledged all of them.</summary>
    /// <param name="ranges">What to send.</param>
    /// <param name="destinationIsZero">The destination has never been written to: zeros need not be sent at all.</param>
    /// <param name="bytesPerSecond">Limit; 0 is none.</param>
    /// <param name="cancellationToken">Ends it between two requests.</param>
    public async Task<PushedBytes> PushAsync(
        IEnumerable<PageRange> ranges, bool destinationIsZero, long bytesPerSecond, CancellationToken cancellationToken)
    {
        long data = 0, zero = 0;
        var began = time.GetTimestamp();
        export.Cork();
        try
        {
            foreach (var range in ranges)
            {
                foreach (var run in memory.SplitRuns(range, LongestRun))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (run.IsZero)
                    {
                        zero += run.Length;
                        if (!destinationIsZero) await EnterAsync(export.WriteZeroesAsync(run.Offset, run.Length, cancellationToken: cancellationToken));
                        continue;
                    }

                    data += run.Length;
                    await EnterAsync(export.WriteAsync(run.Offset, memory.GetMemory(run.Offset, run.Length), cancellationToken: cancellationToken));
                    if (bytesPerSecond == 0) continue;
                    export.Uncork();
                    await KeepToAsync(bytesPerSecond, data, began, cancellationToken);
                    export.Cork();
                }
            }
        }
        finally
        {
            // The requests use the mapping until they end, whatever else went wrong.
            export.Uncork();
            var all = Task.WhenAll(_window);
            _window.Clear();
            await all;
        }

        return new PushedBytes(data, zero);
    }

    private async ValueTask EnterAsync(ValueTask request)
    {
        if (request.IsCompletedSuccessfully) return;
        if (_window.Count == MostInFlight)
        {
            // Half of it: one at a time would have each following request travel alone.
            export.Uncork();
            while (_window.Count > MostInFlight / 2) await _window.Dequeue();
            export.Cork();
        }

        _window.Enqueue(request.AsTask());
    }

    private async Task KeepToAsync(long bytesPerSecond, long sent, long began, CancellationToken cancellationToken)
    {
        var due = TimeSpan.FromSeconds((double)sent / bytesPerSecond) - time.GetElapsedTime(began);
        if (due > TimeSpan.FromMilliseconds(1)) await Task.Delay(due, time, cancellationToken);
    }
}
