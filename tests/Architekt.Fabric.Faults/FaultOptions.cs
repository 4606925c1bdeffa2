using System.Diagnostics.CodeAnalysis;
using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults;

/// <summary>What this program is told by compose/faults.sh, which prepared the hosts.</summary>
/// <param name="RunFolder">Folder of the run, with a folder for each host.</param>
/// <param name="LogFolder">Where the hosts log to.</param>
/// <param name="NamespacePrefix">What the names of the network namespaces begin with.</param>
/// <param name="Gateways">The fabric's gateways.</param>
/// <param name="Postgres">Connection string of the fabric's Postgres.</param>
/// <param name="GuestFolder">The blueprint of the Redis guest.</param>
/// <param name="GuestAddress">IP address the guest gets.</param>
/// <param name="Cells">What to try.</param>
internal sealed record FaultOptions(
    string RunFolder,
    string LogFolder,
    string NamespacePrefix,
    IReadOnlyList<string> Gateways,
    string Postgres,
    string GuestFolder,
    string GuestAddress,
    IReadOnlyList<Cell> Cells)
{
    public const string Usage = "RUN_FOLDER LOG_FOLDER NAMESPACE_PREFIX GATEWAYS POSTGRES GUEST_FOLDER GUEST_ADDRESS ci|PHASE|all [FAULT]";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out FaultOptions? options)
    {
        options = null;
        if (args is not [var run, var logs, var prefix, var gateways, var postgres, var guest, var address, var stage, .. var rest] || rest.Length > 1)
            return false;
        var cells = stage == "ci" ? CiCells.All : FaultMatrix.Choose(stage, rest.FirstOrDefault());
        options = new FaultOptions(run, logs, prefix, gateways.Split(','), postgres, guest, address, cells);
        return cells.Count > 0;
    }
}
