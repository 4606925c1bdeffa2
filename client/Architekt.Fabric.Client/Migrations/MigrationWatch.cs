using System.Runtime.CompilerServices;
using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Migrations;

/// <summary>
/// Watches a migration until its result is known, whatever happens to the grain that reports it: a broken enumeration is opened again behind the last report,
/// and whenever nothing comes, the record is asked whether the migration has ended.
/// </summary>
internal sealed class MigrationWatch(
    FabricClientOptions options,
    Func<long, CancellationToken, IAsyncEnumerable<MigrationProgress>> open,
    Func<CancellationToken, Task<MigrationResult?>> findResult,
    Func<CancellationToken, Task<bool>> exists,
    Func<Exception, FabricException> translate,
    Func<FabricException> notFound)
{
    private readonly Patience _patience = new(options);

    public async IAsyncEnumerable<MigrationProgress> RunAsync(long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = afterSequence;
        MigrationProgress? lastReport = null;
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
                        if (report.Sequence <= last && report.Result is null) continue;
                        last = Math.Max(last, report.Sequence);
                        lastReport = report;
                        yield return report;
                        if (report.Result is not null) yield break;
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
                yield return Final(result, last, lastReport);
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

    private static readonly FabricException _quiet = FabricException.Unavailable("The migration reports nothing.");

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

    private async Task<(MigrationResult? Result, FabricException? Error)> LookUpAsync(CancellationToken cancellationToken)
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

    private static MigrationProgress Final(MigrationResult result, long last, MigrationProgress? report) => new(
        last + 1,
        MigrationPhase.Done,
        result.TotalMs,
        result.Transfer,
        RemainingBytes: 0,
        report?.BytesPerSecond ?? 0,
        report?.DirtyBytesPerSecond ?? 0,
        Message: null,
        result);

    private static async Task CloseAsync(IAsyncEnumerator<MigrationProgress> reports, Task<bool>? pending, CancellationTokenSource attempt)
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
