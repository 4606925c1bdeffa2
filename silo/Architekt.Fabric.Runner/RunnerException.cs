namespace Architekt.Fabric.Runner;

/// <summary>A machine could not be run, suspended or ended.</summary>
public sealed class RunnerException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">Why, for programs.</param>
    /// <param name="message">What, where, why and what to do, for people.</param>
    /// <param name="cause">What it came from.</param>
    public RunnerException(RunnerErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>Why.</summary>
    public RunnerErrorCode Code { get; }
}
