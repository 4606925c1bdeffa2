namespace Architekt.Fabric.Cli.Output;

/// <summary>The one object <c>fabric vm migrate -o json</c> ends with (docs/cli.md). What is not known is null.</summary>
internal sealed record MigrationReport(
    string Operation,
    string Vm,
    string From,
    string To,
    string? RunsOn,
    long Epoch,
    OperationOutcome Outcome,
    MigrationPhase? FailedPhase,
    FabricErrorCode? ErrorCode,
    string? Reason,
    double? TotalMs,
    double? PauseMs,
    IReadOnlyDictionary<string, double> Phases,
    int Rounds,
    MigrationBytes Bytes,
    MigrationPause? Pause,
    int? FramesCarried,
    bool? Verified,
    MemoryBase? Base)
{
    public static MigrationReport Ended(MigrationResult result) => new(
        result.Operation,
        result.Vm,
        result.From,
        result.To,
        result.RunsOn,
        result.Epoch,
        result.Outcome,
        result.FailedPhase,
        result.ErrorCode,
        result.Reason,
        Round(result.TotalMs),
        result.PauseMs is { } pause ? Round(pause) : null,
        result.PhaseMs.OrderBy(phase => phase.Key).ToDictionary(phase => Words.Of(phase.Key), phase => Round(phase.Value)),
        result.Transfer.Rounds,
        MigrationBytes.From(result.Transfer),
        result.Pause is { } breakdown ? MigrationPause.From(breakdown) : null,
        result.Pause?.FramesCarried,
        result.Verified,
        result.Base);

    /// <summary>For a migration that goes on unwatched; the VM may be on either host by now.</summary>
    public static MigrationReport Unfinished(OperationInfo operation, TransferCounters transfer) => new(
        operation.Id,
        operation.Vm!,
        operation.Source,
        operation.Destination!,
        RunsOn: null,
        operation.Epoch,
        operation.Outcome,
        FailedPhase: null,
        ErrorCode: null,
        operation.Reason,
        TotalMs: null,
        PauseMs: null,
        new Dictionary<string, double>(),
        transfer.Rounds,
        MigrationBytes.From(transfer),
        Pause: null,
        FramesCarried: null,
        Verified: null,
        Base: null);

    internal static double Round(double milliseconds) => Math.Round(milliseconds, 3);
}

/// <summary>What a migration moved, by kind, in bytes.</summary>
internal sealed record MigrationBytes(long Memory, long Zero, long Skipped, long Base, long Disk, long State, long LastRound, long OnWire)
{
    public static MigrationBytes From(TransferCounters transfer) => new(
        transfer.MemoryBytes, transfer.ZeroBytes, transfer.SkippedBytes, transfer.BaseBytes, transfer.DiskBytes, transfer.StateBytes, transfer.LastRoundBytes, transfer.BytesOnWire);
}

/// <summary>Where a migration's pause went, in ms.</summary>
internal sealed record MigrationPause(
    double SourceMs, double LastRoundMs, double DiskMs, double StateMs, double LoadMs, double CommitMs, double RunMs)
{
    public static MigrationPause From(PauseBreakdown pause) => new(
        MigrationReport.Round(pause.SourceMs),
        MigrationReport.Round(pause.LastRoundMs),
        MigrationReport.Round(pause.DiskMs),
        MigrationReport.Round(pause.StateMs),
        MigrationReport.Round(pause.LoadMs),
        MigrationReport.Round(pause.CommitMs),
        MigrationReport.Round(pause.RunMs));
}
