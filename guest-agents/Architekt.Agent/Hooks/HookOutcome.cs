namespace Architekt.Agent.Hooks;

/// <summary>How a hook ended.</summary>
internal enum HookOutcome
{
    /// <summary>By itself, with an exit code.</summary>
    Exited,

    /// <summary>It was killed for taking too long.</summary>
    TimedOut,

    /// <summary>It never ran.</summary>
    NotStarted,
}
