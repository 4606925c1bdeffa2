namespace Architekt.Fabric.Processes;

/// <summary>What <see cref="Command"/> may be told beyond the tool and its arguments.</summary>
public sealed record CommandOptions
{
    /// <summary>Folder to run in; null keeps the current one.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables set on top of the inherited environment; a null value removes the variable.</summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>Text for standard input (UTF-8). Null means that the tool reads end of file at once.</summary>
    public string? StandardInput { get; init; }

    /// <summary>Time after which the tool is killed and <see cref="TimeoutException"/> thrown; null waits for ever.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The Debian package that holds the tool, named in <see cref="ToolMissingException"/>.</summary>
    public string? DebianPackage { get; init; }
}
