namespace Architekt.Fabric.Peer.Hosting;

/// <summary>What a peer logs; event ids 3001 to 3099.</summary>
internal static partial class PeerLog
{
    [LoggerMessage(3001, LogLevel.Error, "{Path} failed")]
    public static partial void CallFailed(ILogger logger, string path, Exception error);

    [LoggerMessage(3002, LogLevel.Information, "{Vm} with epoch {Epoch} ended: {Kind}, {Reason}")]
    public static partial void Ended(ILogger logger, string vm, long epoch, PeerExitKind kind, string reason);

    [LoggerMessage(3003, LogLevel.Information, "Epoch {Epoch} granted, {Vm} runs")]
    public static partial void Granted(ILogger logger, string vm, long epoch);

    [LoggerMessage(3004, LogLevel.Debug, "Round {Round}: {Pages} pages in {Ms:0.0} ms, scanned in {ScanMs:0.00} ms")]
    public static partial void Round(ILogger logger, int round, long pages, double ms, double scanMs);

    [LoggerMessage(3005, LogLevel.Information, "Switched over: {SourceMs:0.0} ms since STOP, {LastBytes} bytes in the last round, {AfterStateBytes} after the device state, {StateBytes} bytes of device state")]
    public static partial void Switched(ILogger logger, double sourceMs, long lastBytes, long afterStateBytes, long stateBytes);

    [LoggerMessage(3006, LogLevel.Warning, "The guest agent did not {Call}: {Reason}")]
    public static partial void AgentFailed(ILogger logger, string call, string reason);

    [LoggerMessage(3007, LogLevel.Warning, "Operation {Operation} rolled back: the guest runs")]
    public static partial void RolledBack(ILogger logger, string operation);

    [LoggerMessage(3008, LogLevel.Information, "The device state was loaded in {Ms:0.0} ms")]
    public static partial void Loaded(ILogger logger, double ms);

    [LoggerMessage(3009, LogLevel.Error, "Operation {Operation} failed while copying")]
    public static partial void CopyFailed(ILogger logger, string operation, Exception error);

    [LoggerMessage(3010, LogLevel.Error, "The device state could not be loaded")]
    public static partial void LoadFailed(ILogger logger, Exception error);

    [LoggerMessage(3011, LogLevel.Information, "{Frames} frames carried over, {Lost} lost")]
    public static partial void FramesCarried(ILogger logger, int frames, int lost);

    [LoggerMessage(3013, LogLevel.Warning, "The guest could not be announced at its new place: {Reason}")]
    public static partial void AnnounceFailed(ILogger logger, string reason);

    [LoggerMessage(3012, LogLevel.Error, "Not everything could be closed")]
    public static partial void CloseFailed(ILogger logger, Exception error);

    [LoggerMessage(3014, LogLevel.Warning, "The base {Name} is not used and everything has to be sent: {Reason}")]
    public static partial void BaseUnusable(ILogger logger, string name, string reason);

    [LoggerMessage(3015, LogLevel.Error, "The RAM of {Vm} could not be filled from its package")]
    public static partial void FillFailed(ILogger logger, string vm, Exception error);

    [LoggerMessage(3016, LogLevel.Information, "{Vm} resumed from its package {Ms:0.0} ms after it was asked to")]
    public static partial void Resumed(ILogger logger, string vm, double ms);

    [LoggerMessage(3017, LogLevel.Information, "Checkpoint {Operation}: {MemoryBytes} bytes of RAM, {StateBytes} of device state, {DiskBytes} of disk, stopped for {PauseMs:0.0} ms")]
    public static partial void Checkpointed(ILogger logger, string operation, long memoryBytes, long stateBytes, long diskBytes, double pauseMs);

    [LoggerMessage(3031, LogLevel.Warning, "The lease has run out: the guest stands still")]
    public static partial void LeaseRanOut(ILogger logger);

    [LoggerMessage(3032, LogLevel.Information, "The lease was renewed: the guest runs on")]
    public static partial void LeaseRenewed(ILogger logger);

    [LoggerMessage(3018, LogLevel.Warning, "The RAM could not be kept at {Path}: {Reason}")]
    public static partial void MemoryNotKept(ILogger logger, string path, string reason);

    [LoggerMessage(3019, LogLevel.Warning, "Which pages are touched first is not known from {Path}: {Reason}")]
    public static partial void FirstPagesUnusable(ILogger logger, string path, string reason);
}
