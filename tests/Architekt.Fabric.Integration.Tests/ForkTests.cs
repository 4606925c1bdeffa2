using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Two machines from one package with memory, on one host at once.</summary>
[Collection<SharedHosts>]
public sealed partial class ForkTests(TwoHosts hosts)
{
    private const int RedisPort = 6379;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_TwiceFromOnePackage_AreTwoMachinesOnTheirOwnAddressesWithOneDisk()
    {
        hosts.Require();
        var recipe = new PackageRecipe("redis", "forked", hosts.HostA.Name) { Address = $"{hosts.Subnet}.10/24" };
        var made = await hosts.Fabric.CreatePackageAsync(recipe, Token);
        Assert.True(made.Outcome == OperationOutcome.Succeeded, made.Reason);
        (string Name, string Address)[] forks = [("fork-a", $"{hosts.Subnet}.11"), ("fork-b", $"{hosts.Subnet}.12")];
        try
        {
            var vms = await Task.WhenAll(forks.Select(
                fork => hosts.Fabric.RunVmAsync(new VmSpec(fork.Name, "forked", hosts.HostA.Name, Address: $"{fork.Address}/24"), Token)));
            Assert.NotEqual(vms[0].Mac, vms[1].Mac);

            // Their own services: what one is told the other does not know.
            foreach (var (name, address) in forks) Assert.Equal("+OK", await AskRedisAsync(address, $"SET name {name}"));
            foreach (var (name, address) in forks) Assert.Equal($"${name.Length} {name}", await AskRedisAsync(address, "GET name"));

            var identities = new List<Match>();
            foreach (var vm in vms) identities.Add(await IdentifyAsync(vm));
            for (var fork = 0; fork < forks.Length; fork++)
            {
                Assert.Equal(forks[fork].Name, identities[fork].Groups["host"].Value);
                Assert.Equal(vms[fork].Mac, identities[fork].Groups["mac"].Value);
            }

            Assert.NotEqual(identities[0].Groups["id"].Value, identities[1].Groups["id"].Value);

            // One file, and so one copy of its pages in memory; each writes to a file of its own.
            var disk = Path.Combine(hosts.PackageFolder(hosts.HostA, made.Package!.Digest), "disk");
            var open = vms.Select(OpenFiles).ToList();
            Assert.All(open, files => Assert.Contains(disk, files));
            Assert.All(forks.Zip(open), fork => Assert.Contains(Assert.Single(hosts.Disks(hosts.HostA, fork.First.Name), static file => file.EndsWith(".qcow2", StringComparison.Ordinal)), fork.Second));
        }
        finally
        {
            foreach (var (name, _) in forks) await hosts.DeleteAsync(name, Token);

            await hosts.ForgetAsync(hosts.HostA, "forked", Token);
        }
    }

    /// <summary>One command in Redis' inline form, and its answer in one line. The guest learns its address a moment after it runs.</summary>
    private static async Task<string> AskRedisAsync(string address, string command)
    {
        var answer = "";
        await TwoHosts.UntilAsync(
            async () =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
                patience.CancelAfter(TimeSpan.FromSeconds(2));
                try
                {
                    await socket.ConnectAsync(address, RedisPort, patience.Token);
                    await socket.SendAsync(Encoding.ASCII.GetBytes($"{command}\r\nQUIT\r\n"), patience.Token);
                    await using var stream = new NetworkStream(socket);
                    using var reader = new StreamReader(stream);
                    var lines = (await reader.ReadToEndAsync(patience.Token)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

                    // The last one is the answer to QUIT.
                    answer = string.Join(' ', lines[..^1]);
                    return true;
                }
                catch (Exception error) when (error is SocketException or IOException or OperationCanceledException && !Token.IsCancellationRequested)
                {
                    return false;
                }
            },
            $"Redis answers at {address}",
            Token);
        return answer;
    }

    /// <summary>Asks the guest itself, on its console.</summary>
    private async Task<Match> IdentifyAsync(VmInfo vm)
    {
        Match found = Match.Empty;
        await TwoHosts.UntilAsync(
            async () =>
            {
                await hosts.Fabric.WriteConsoleAsync(vm.Name, "\necho \"<$(cat /etc/machine-id) $(hostname) $(cat /sys/class/net/eth0/address)>\"\n"u8.ToArray(), Token);
                var log = await hosts.Fabric.ReadLogAsync(vm.Name, -4096, TimeSpan.FromSeconds(1), Token);
                found = IdentityPattern().Matches(Encoding.ASCII.GetString(log.Data)).LastOrDefault() ?? Match.Empty;
                return found.Groups["host"].Value == vm.Name && found.Groups["mac"].Value == vm.Mac;
            },
            $"the guest says that it is {vm.Name}",
            Token);
        return found;
    }

    private IReadOnlyList<string> OpenFiles(VmInfo vm)
    {
        var qemu = TwoHosts.Identity(hosts.HostA, $"{vm.Name}.{vm.Epoch}").QemuPid;
        return [.. Directory.GetFiles($"/proc/{qemu}/fd").Select(static link => File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName).OfType<string>()];
    }

    [GeneratedRegex("<(?<id>[0-9a-f]{32}) (?<host>[a-z0-9-]+) (?<mac>[0-9a-f:]{17})>")]
    private static partial Regex IdentityPattern();
}
