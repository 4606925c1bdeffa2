using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network;

/// <summary>Runs ip(8). A seam: tests look at what would be run, and one fabric can keep several hosts in namespaces.</summary>
public interface IIpCommand
{
    /// <summary>Runs `ip` with these arguments and returns what it wrote to standard output.</summary>
    /// <exception cref="CommandFailedException">It refused.</exception>
    /// <exception cref="ToolMissingException">`ip` is not installed.</exception>
    Task<string> RunAsync(IReadOnlyList<string> args, CancellationToken cancellationToken = default);
}
