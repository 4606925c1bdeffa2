using System.Security.Cryptography;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>What makes the names of exports impossible to guess.</summary>
internal static class ExportSecret
{
    private const int Bytes = 16;

    internal static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));
}
