namespace Architekt.Init.Processes;

/// <summary>How a program is started.</summary>
internal sealed record ProgramStart
{
    /// <summary>The program and its arguments.</summary>
    internal required IReadOnlyList<string> Command { get; init; }

    /// <summary>Its whole environment.</summary>
    internal IReadOnlyList<string> Environment { get; init; } = [$"PATH={Launcher.DefaultPath}", "HOME=/root"];

    internal string WorkingDirectory { get; init; } = "/";

    internal uint UserId { get; init; }

    internal uint GroupId { get; init; }

    internal IReadOnlyList<uint> SupplementaryGroups { get; init; } = [];
}
