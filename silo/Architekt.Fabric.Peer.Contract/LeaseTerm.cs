namespace Architekt.Fabric.Peer;

/// <summary>Until when a guest may run, as plain code; times are those of CLOCK_BOOTTIME.</summary>
public sealed class LeaseTerm
{
    /// <summary>
    /// From the end of the lease until QEMU is killed without having been asked: enough for an orderly stop, and less than the margin others wait before they start the VM.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>When it ends; zero before the first one was granted.</summary>
    public TimeSpan Until { get; private set; }

    /// <summary>Whether the guest was stopped because it had ended, and stands still.</summary>
    public bool IsStopped { get; set; }

    /// <summary>When QEMU is killed, whatever happens.</summary>
    public TimeSpan End => Until + Grace;

    /// <summary>Whether <paramref name="until"/> is more than the guest has. What comes late or twice is not.</summary>
    public bool IsLonger(TimeSpan until) => until > Until;

    /// <summary>It ends at <paramref name="until"/>, unless it has more already.</summary>
    public void Extend(TimeSpan until)
    {
        if (IsLonger(until)) Until = until;
    }

    /// <summary>Whether the guest may run at <paramref name="now"/>.</summary>
    public bool Allows(TimeSpan now) => now < Until;

    /// <summary>How long the guest may run on; null when there is nothing to wait for: none was granted, or it was stopped.</summary>
    public TimeSpan? Left(TimeSpan now) => Until == TimeSpan.Zero || IsStopped ? null : Allows(now) ? Until - now : TimeSpan.Zero;
}
