using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Runner.Machine;

/// <summary>A guest's address on its kernel command line, where our guests look for it when they boot (docs/blueprints.md).</summary>
internal static class GuestNetworkArguments
{
    private const string AddressKey = "architekt.ip=";
    private const string GatewayKey = "architekt.gw=";

    public static (string? Address, string? Gateway) Read(string commandLine)
    {
        var words = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (Value(words, AddressKey), Value(words, GatewayKey));
    }

    /// <summary>For a guest that boots and has no address yet.</summary>
    public static string AddDefault(string commandLine) =>
        $"{commandLine} {AddressKey}{QemuUserNetwork.DefaultAddress} {GatewayKey}{QemuUserNetwork.DefaultGateway}".TrimStart();

    // The last one counts, as for the kernel's own parameters.
    private static string? Value(string[] words, string key) =>
        words.LastOrDefault(word => word.StartsWith(key, StringComparison.Ordinal)) is { } word && word.Length > key.Length ? word[key.Length..] : null;
}
