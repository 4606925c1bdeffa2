using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>What the start benchmark is told by the script that prepared the host.</summary>
/// <param name="RunFolder">Folder of the run, with a folder for each host.</param>
/// <param name="NamespacePrefix">What the names of the hosts' network namespaces begin with.</param>
/// <param name="Gateways">The fabric's gateways.</param>
/// <param name="Blueprint">Name of the blueprint on the host.</param>
/// <param name="Folder">A folder on tmpfs for the peers that are started without the silo.</param>
/// <param name="Guest">Where the guest answers.</param>
/// <param name="Starts">Starts of each kind.</param>
internal sealed record StartOptions(string RunFolder, string NamespacePrefix, string Gateways, string Blueprint, string Folder, IPAddress Guest, int Starts)
{
    public const string Usage = "RUN_FOLDER NAMESPACE_PREFIX GATEWAYS BLUEPRINT TMPFS_FOLDER GUEST_ADDRESS STARTS";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out StartOptions? options)
    {
        options = args is [var run, var prefix, var gateways, var blueprint, var folder, var guest, var starts]
            && IPAddress.TryParse(guest, out var address)
            && int.TryParse(starts, out var count) && count is > 0 and <= 1000
            ? new StartOptions(run, prefix, gateways, blueprint, folder, address, count)
            : null;
        return options is not null;
    }
}
