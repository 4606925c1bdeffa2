using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network.Tests;

/// <summary>A machine without iproute2.</summary>
internal sealed class NoIp : IIpCommand
{
    public Task<string> RunAsync(IReadOnlyList<string> args, CancellationToken cancellationToken = default)
        => throw new ToolMissingException("ip", "iproute2");
}
