using System.Runtime.CompilerServices;
using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Operations;

/// <summary>
/// Watches an operation until its result is known, whatever happens to the grain that reports it: a broken enumeration is opened again behind the last report,
/// and whenever nothing comes, the record is asked whether the operation has ended.
/// </summary>
internal sealed class OperationWatch<TReport, TResult>(
    FabricClientOptions options,
    Func<long, CancellationToken, IAsyncEnumerable<TReport>> open,
    Func<TReport, (long Sequence, TResult? Result)> read,
    Func<TResult, long, TReport?, TReport> conclude,
    Func<CancellationToken, Task<TResult?>> findResult,
    Func<CancellationToken, Task<bool>> exists,
    Func<Exception, FabricException> translate,
    Func<FabricException> notFound)
    where TReport : class
    where TResult : class
{
    private readonly Patience _patience = new(options);

    public async IAsyncEnumerable<TReport> RunAsync(long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = afterSequence;
        TReport? lastReport = null;
        while (true)
        {
            FabricException? failure = null;
            using (var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                var reports = open(last, attempt.Token).GetAsyncEnumerator(attempt.Token);
                Task<bool>? pending = null;
                try
                {
                    while (true)
                    {
                        pending = reports.MoveNextAsync().AsTask();
                        var (kind, error) = await NextAsync(pending, cancellationToken).ConfigureAwait(false);
                        failure = error;
                        if (kind != Next.Report) break;
                        var report = reports.Current;
                        _patience.Reset();
                        var (sequence, ending) = read(report);
                        if (sequence <= last && ending is null) continue;
                        last = Math.Max(last, sequence);
                        lastReport = report;
                        yield return report;
                        if (ending is not null) yield break;
                    }
                }
                finally
                {
                    await CloseAsync(reports, pending, attempt).ConfigureAwait(false);
                }
            }

            var (result, lookup) = await LookUpAsync(cancellationToken).ConfigureAwait(false);
            if (result is not null)
            {
                yield return conclude(result, last, lastReport);
                yield break;
            }

            if (failure is { IsTransient: false }) throw failure;
            await _patience.WaitAsync(lookup ?? failure ?? _quiet, cancellationToken).ConfigureAwait(false);
        }
    }

    private enum Next
    {
        Report,
        End,
        ResultRecorded,
        Failed,
    }

    private static readonly FabricException _quiet = FabricException.Unavailable("The operation reports nothing.");

    /// <summary>Waits for the next report, and meanwhile asks the record: a silo that died leaves the call hanging for a whole call timeout.</summary>
    private async Task<(Next Kind, FabricException? Error)> NextAsync(Task<bool> pending, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var poll = Task.Delay(options.PollInterval, options.TimeProvider, cancellationToken);
                if (await Task.WhenAny(pending, poll).ConfigureAwait(false) == pending)
                    return (await pending.ConfigureAwait(false) ? Next.Report : Next.End, null);
                cancellationToken.ThrowIfCancellationRequested();
                if ((await LookUpAsync(cancellationToken).ConfigureAwait(false)).Result is not null) return (Next.ResultRecorded, null);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return (Next.Failed, translate(error));
        }
    }

    private async Task<(TResult? Result, FabricException? Error)> LookUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await findResult(cancellationToken).ConfigureAwait(false);
            if (result is null && !await exists(cancellationToken).ConfigureAwait(false)) throw notFound();
            _patience.Reset();
            return (result, null);
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return (null, error);
        }
    }

    private static async Task CloseAsync(IAsyncEnumerator<TReport> reports, Task<bool>? pending, CancellationTokenSource attempt)
    {
        await attempt.CancelAsync().ConfigureAwait(false);
        try
        {
            // An enumerator must not be disposed while it moves; a dead silo must not hold us up either.
            if (pending is not null) await pending.WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Whatever it was, it has been dealt with or is of no interest any more.
        }

        if (pending is { IsCompleted: false }) return;
        try
        {
            await reports.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The far end drops an enumeration nobody reads.
        }
    }
}
