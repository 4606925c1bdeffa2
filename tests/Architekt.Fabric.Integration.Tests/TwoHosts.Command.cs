using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <content>The command a user types.</content>
public sealed partial class TwoHosts
{
    /// <summary>Runs <c>fabric</c> as a process of its own.</summary>
    /// <param name="arguments">What follows its name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="only">The one host it may ask; null for any.</param>
    internal Task<CommandResult> FabricAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken, SiloProcess? only = null)
    {
        var options = new CommandOptions
        {
            Environment = new Dictionary<string, string?>
            {
                ["FABRIC_GATEWAYS"] = string.Join(',', Hosts.Where(host => only is null || host == only).Select(static host => host.Gateway)),
                ["FABRIC_CLUSTER_ID"] = ClusterId,
                ["FABRIC_CONNECT_TIMEOUT"] = "30s",
            },
            Timeout = TimeSpan.FromMinutes(3),
        };

        // Beside these tests it has their libraries, which come from two frameworks and not from its one.
        static string InFolder(string name) => Path.Combine(AppContext.BaseDirectory, name);
        var tests = typeof(TwoHosts).Assembly.GetName().Name;
        string[] command = ["exec", "--runtimeconfig", InFolder($"{tests}.runtimeconfig.json"), "--depsfile", InFolder($"{tests}.deps.json"), InFolder("fabric.dll")];
        return Command.RunAsync("dotnet", [.. command, .. arguments], options, cancellationToken);
    }
}
