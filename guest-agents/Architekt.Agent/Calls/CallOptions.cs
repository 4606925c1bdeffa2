namespace Architekt.Agent.Calls;

/// <summary>What the agent was told on its command line.</summary>
internal sealed record CallOptions
{
    /// <summary>The shell command to run before a pause.</summary>
    public string? BeforeSuspend { get; init; }

    /// <summary>The shell command to run after a pause.</summary>
    public string? AfterResume { get; init; }

    /// <summary>The longest a command may take.</summary>
    public TimeSpan HookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How far off the clock must be to be set: a step disturbs programs more than a few milliseconds do.</summary>
    public TimeSpan ClockThreshold { get; init; } = TimeSpan.FromMilliseconds(50);
}
