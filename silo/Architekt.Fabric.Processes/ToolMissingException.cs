namespace Architekt.Fabric.Processes;

/// <summary>A tool that is needed is not installed.</summary>
public sealed class ToolMissingException : Exception
{
    /// <summary>Creates the exception for a tool and, where known, the Debian package that brings it.</summary>
    public ToolMissingException(string tool, string? debianPackage = null)
        : base(debianPackage is null
            ? $"The tool '{tool}' is not installed or not in PATH; install it and try again."
            : $"The tool '{tool}' is not installed or not in PATH; install it with 'apt-get install {debianPackage}'.")
    {
        Tool = tool;
        DebianPackage = debianPackage;
    }

    /// <summary>Name or path of the tool that was looked for.</summary>
    public string Tool { get; }

    /// <summary>The Debian package that brings it; null when unknown.</summary>
    public string? DebianPackage { get; }
}
