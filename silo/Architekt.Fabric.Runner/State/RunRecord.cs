namespace Architekt.Fabric.Runner.State;

/// <summary>Who runs a machine now, in <c>run.json</c>: what the next one cleans up by.</summary>
/// <param name="Runner">The process that runs it, as PID:TICKS.</param>
/// <param name="RuntimeFolder">Its instance folder.</param>
/// <param name="Peer">Its peer, as PID:TICKS; null before that was started.</param>
internal sealed record RunRecord(string Runner, string RuntimeFolder, string? Peer);
