namespace Architekt.Init.Processes;

/// <summary>How a process ended, as wait(2) reports it.</summary>
/// <param name="Raw">The status word.</param>
internal readonly record struct ExitStatus(int Raw)
{
    private const int SignalMask = 0x7f;

    /// <summary>The signal that ended it, or 0.</summary>
    internal int Signal => Raw & SignalMask;

    /// <summary>The exit code; as a shell shows it, 128 and the signal's number when a signal ended it.</summary>
    internal int Code => Signal == 0 ? (Raw >> 8) & 0xff : 128 + Signal;

    /// <inheritdoc/>
    public override string ToString() => Signal == 0 ? $"ended with exit code {Code}" : $"was ended by signal {Signal}";
}
