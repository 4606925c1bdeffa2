namespace Architekt.Fabric.Memory;

/// <summary>How a scan for written pages ended.</summary>
public enum DirtyScanOutcome
{
    /// <summary>Every page written before the scan began is reported and protected again.</summary>
    Complete,

    /// <summary>The process ended. Its RAM file still has all that it wrote, but nobody knows any longer what changed: all of it has to be sent.</summary>
    ProcessGone,

    /// <summary>The mapping is no longer under asynchronous write protection: the process closed its userfaultfd or mapped something else there.</summary>
    Disarmed,

    /// <summary>The kernel refused the scan; some pages may have been protected without being reported. All of the RAM has to be sent.</summary>
    Failed,
}
