using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>What the migration benchmark is told by the script that prepared the hosts.</summary>
/// <param name="RunFolder">Folder of the run, with a folder for each host.</param>
/// <param name="NamespacePrefix">What the names of the hosts' network namespaces begin with.</param>
/// <param name="Gateways">The fabric's gateways.</param>
/// <param name="GuestFolder">The blueprint.</param>
/// <param name="FabricAddress">Where the fabric's guest answers.</param>
/// <param name="StockAddress">Where the guest of stock QEMU is to answer.</param>
/// <param name="Package">The package with memory, on both hosts.</param>
/// <param name="PackageAddress">Where VMs of it answer.</param>
/// <param name="Migrations">Migrations of each kind.</param>
internal sealed record MigrateOptions(
    string RunFolder,
    string NamespacePrefix,
    string Gateways,
    string GuestFolder,
    IPAddress FabricAddress,
    IPAddress StockAddress,
    string Package,
    IPAddress PackageAddress,
    int Migrations)
{
    public const string Usage = "RUN_FOLDER NAMESPACE_PREFIX GATEWAYS GUEST_FOLDER FABRIC_ADDRESS STOCK_ADDRESS PACKAGE PACKAGE_ADDRESS MIGRATIONS";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out MigrateOptions? options)
    {
        options = args is [var run, var prefix, var gateways, var guest, var fabric, var stock, var package, var packageText, var migrations]
            && IPAddress.TryParse(fabric, out var fabricAddress)
            && IPAddress.TryParse(stock, out var stockAddress)
            && IPAddress.TryParse(packageText, out var packageAddress)
            && int.TryParse(migrations, out var count) && count is > 0 and <= 1000
            ? new MigrateOptions(run, prefix, gateways, guest, fabricAddress, stockAddress, package, packageAddress, count)
            : null;
        return options is not null;
    }
}
