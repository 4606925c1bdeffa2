using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network;

/// <summary>The installed ip(8).</summary>
/// <param name="networkNamespace">A namespace made with `ip netns add`; null is the one of this process.</param>
public sealed class IpCommand(string? networkNamespace = null) : IIpCommand
{
    private static readonly CommandOptions _options = new() { DebianPackage = "iproute2", Timeout = TimeSpan.FromSeconds(30) };

    /// <inheritdoc/>
    public async Task<string> RunAsync(IReadOnlyList<string> args, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<string> all = networkNamespace is null ? args : ["-n", networkNamespace, .. args];
        return (await Command.RunCheckedAsync("ip", all, _options, cancellationToken).ConfigureAwait(false)).StandardOutput;
    }
}
