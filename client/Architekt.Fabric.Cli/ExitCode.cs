namespace Architekt.Fabric.Cli;

/// <summary>What <c>fabric</c> exits with (docs/cli.md). Scripts depend on the numbers; they never change their meaning.</summary>
internal enum ExitCode
{
    /// <summary>It is done.</summary>
    Ok = 0,

    /// <summary>It was tried and failed.</summary>
    Failed = 1,

    /// <summary>The command line or a value in it is wrong.</summary>
    Usage = 2,

    /// <summary>The host, package, VM or operation does not exist.</summary>
    NotFound = 3,

    /// <summary>The state of things does not allow it: it exists already, is busy, has no room, lacks a feature.</summary>
    Conflict = 4,

    /// <summary>It took too long.</summary>
    Timeout = 5,

    /// <summary>The fabric, or what it depends on, cannot be reached.</summary>
    Unreachable = 6,

    /// <summary>The operation was cancelled, or the command was interrupted before it knew the outcome.</summary>
    Cancelled = 7,
}
