namespace Architekt.Agent.Hooks;

/// <summary>What came of a hook.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="ExitCode">Its exit code, when it ended by itself.</param>
/// <param name="Output">What it wrote to standard output, trimmed and bounded.</param>
/// <param name="Error">What it wrote to standard error, trimmed and bounded, or why it could not be started.</param>
internal sealed record HookResult(HookOutcome Outcome, int ExitCode, string Output, string Error);
