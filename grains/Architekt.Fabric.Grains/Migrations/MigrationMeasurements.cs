namespace Architekt.Fabric.Grains;

/// <summary>What a migration has measured so far; becomes its <see cref="MigrationResult"/>.</summary>
internal sealed class MigrationMeasurements(TimeProvider time)
{
    private readonly Dictionary<MigrationPhase, double> _phaseMs = [];
    private long _phaseBegan = time.GetTimestamp();

    public TransferCounters Transfer { get; set; } = TransferCounters.None;

    public SwitchReport? Switch { get; set; }

    public LoadReport? Load { get; set; }

    public RunReport? Run { get; set; }

    public double CommitMs { get; set; }

    public int FramesCarried { get; set; }

    public bool? Verified { get; set; }

    public MemoryBase? Base { get; set; }

    /// <summary>Who owns the VM that the source lost while it was being moved.</summary>
    public VmInfo? TakenOver { get; set; }

    public void Leave(MigrationPhase phase)
    {
        var now = time.GetTimestamp();
        _phaseMs[phase] = _phaseMs.GetValueOrDefault(phase) + time.GetElapsedTime(_phaseBegan, now).TotalMilliseconds;
        _phaseBegan = now;
    }

    /// <summary>
    /// Source and destination need no common clock: the source measures from STOP until it sends the FLUSH of the device state, the
    /// destination from receiving that FLUSH until RESUME, and half a round trip lies between.
    /// </summary>
    public double? PauseMs => Switch is null || Run is null ? null : Switch.SourceMs + (Switch.RoundTripMs / 2) + Run.SinceStateMs;

    public MigrationResult ToResult(MigrationPlan plan, MigrationState state, double totalMs) => new(
        plan.Operation,
        plan.Vm,
        plan.Source,
        plan.Destination,
        state.IsCommitted ? plan.Destination : TakenOver?.Host ?? plan.Source,
        state.IsCommitted ? plan.NextEpoch : TakenOver?.Epoch ?? plan.Epoch,
        state.Outcome,
        state.Outcome == OperationOutcome.Succeeded ? null : state.Failure?.Phase,
        state.Outcome switch
        {
            OperationOutcome.Succeeded => null,
            OperationOutcome.Cancelled => FabricErrorCode.Cancelled,
            _ => state.Failure?.Code ?? FabricErrorCode.Failed,
        },
        state.Outcome switch
        {
            OperationOutcome.Succeeded => null,
            OperationOutcome.Cancelled => "it was cancelled",
            _ => state.Failure?.Reason,
        },
        totalMs,
        PauseMs,
        _phaseMs,
        Switch is null || Run is null
            ? null
            : new PauseBreakdown(
                Switch.SourceMs,
                Switch.LastRoundMs,
                Switch.DiskMs,
                Switch.StateMs,
                Load?.LoadMs ?? 0,
                CommitMs,
                Run.RunMs,
                FramesCarried),
        Transfer,
        Verified,
        Base);
}
