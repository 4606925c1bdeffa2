using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>The link between the hosts. Postgres and the client are still reached by both while it is cut: isolated ports of a bridge do not hear each other (bridge(8)).</summary>
internal sealed class SwitchPorts(FaultOptions options, IReadOnlyList<FaultHost> hosts)
{
    private bool _isCut;

    public async Task CutAsync()
    {
        _isCut = true;
        await IsolateAsync("on");
    }

    public async Task MendAsync()
    {
        if (!_isCut) return;
        await IsolateAsync("off");
        _isCut = false;
    }

    private async Task IsolateAsync(string onOrOff)
    {
        foreach (var host in hosts)
        {
            await Command.RunCheckedAsync(
                "ip", ["-n", options.NamespacePrefix + "switch", "link", "set", $"to-{host.Name}", "type", "bridge_slave", "isolated", onOrOff]);
        }
    }
}
