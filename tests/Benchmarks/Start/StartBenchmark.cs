using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>The same guest with little RAM and with much: booted, and resumed from the package made of it.</summary>
internal sealed class StartBenchmark(StartOptions options)
{
    private const string Vm = "bench";
    private const string Tap = "start0";
    private const string ForkMac = "52:54:00:77:01:01";
    private const string CommandMac = "52:54:00:77:01:02";
    private const int Boots = 3;
    private static readonly long[] _sizes = [256L << 20, 4L << 30];
    private static readonly TimeSpan _often = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan _seldom = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _later = TimeSpan.FromSeconds(2);

    private readonly BenchHost _host = new("host-a", options.RunFolder, options.NamespacePrefix);
    private readonly FabricCommand _fabric = new(options.RunFolder, options.Gateways);

    private IPEndPoint Redis => new(options.Guest, 6379);

    private string Address => $"{options.Guest}/24";

    public async Task<int> RunAsync(CancellationToken cancellationToken = default)
    {
        List<StartNumbers> all = [];
        foreach (var size in _sizes) all.Add(await MeasureAsync(size, cancellationToken));
        Console.WriteLine();
        StartReport.Print(all);
        return 0;
    }

    private async Task<StartNumbers> MeasureAsync(long size, CancellationToken cancellationToken)
    {
        var (package, megabytes) = ($"{options.Blueprint}-{size >> 20}", $"{size >> 20}M");
        Console.WriteLine($"{size >> 20} MiB: booting");
        await RedisProbe.KnowAsync(options.Guest, CommandMac);
        List<double> boots = [];
        for (var i = 0; i < Boots; i++) boots.Add((await RunFromCommandAsync(options.Blueprint, _seldom, null, ["--memory", megabytes], cancellationToken)).Milliseconds);

        Console.WriteLine($"{size >> 20} MiB: making the package and resuming it");
        await _fabric.RunAsync(
            ["package", "create", "--from", options.Blueprint, "--name", package, "--host", _host.Name, "--memory", megabytes, "--ip", Address], cancellationToken);
        PeerInstance? like = null;
        var first = await RunFromCommandAsync(package, _often, () => like = _host.Find(Vm)!.Machine, [], cancellationToken);
        List<CommandStart> commands = [];
        List<double> resumes = [], forks = [];
        for (var i = 0; i < options.Starts; i++)
        {
            commands.Add(await RunFromCommandAsync(package, _often, null, [], cancellationToken));
            forks.Add(await RunPeerAsync(Fork(like!), null, cancellationToken));
            resumes.Add(await RunPeerAsync(AsItWas(like!), null, cancellationToken));
        }

        ResidentSizes? resident = null;
        await RunPeerAsync(AsItWas(like!) with { Fill = "none" }, async peer => resident = await MeasureResidentAsync(peer, cancellationToken), cancellationToken);
        return new StartNumbers(size, boots, first, commands, resumes, forks, resident!);
    }

    private async Task<CommandStart> RunFromCommandAsync(
        string package, TimeSpan interval, Action? whenSettled, string[] arguments, CancellationToken cancellationToken)
    {
        await RedisProbe.KnowAsync(options.Guest, CommandMac);
        var (began, beganAt) = (Stopwatch.GetTimestamp(), DateTime.UtcNow);
        var command = _fabric.RunOnceAsync(["vm", "run", Vm, "--package", package, "--host", _host.Name, "--ip", Address, "--mac", CommandMac, .. arguments], cancellationToken);
        var answered = await RedisProbe.WaitAsync(Redis, interval, _deadline, cancellationToken);
        await command;
        var untilPeer = _host.Find(Vm)!.StartedAt - beganAt;
        if (whenSettled is not null)
        {
            // A peer writes down what its guest has touched, for the next one.
            await Task.Delay(_settling, cancellationToken);
            whenSettled();
        }

        await _fabric.RunAsync(["vm", "delete", Vm, "--force"], cancellationToken);
        return new CommandStart(Stopwatch.GetElapsedTime(began, answered).TotalMilliseconds, untilPeer.TotalMilliseconds);
    }

    private async Task<double> RunPeerAsync(PeerInstance instance, Func<BenchPeer, Task>? then, CancellationToken cancellationToken)
    {
        await RedisProbe.KnowAsync(options.Guest, instance.Mac!);
        await using var peer = await BenchPeer.StartAsync(_host, options, instance, cancellationToken);
        var booting = peer.BootAsync(cancellationToken);
        var answered = await RedisProbe.WaitAsync(Redis, _often, _deadline, cancellationToken);
        await booting;
        if (then is not null) await then(peer);
        return Stopwatch.GetElapsedTime(peer.Began, answered).TotalMilliseconds;
    }

    private static async Task<ResidentSizes> MeasureResidentAsync(BenchPeer peer, CancellationToken cancellationToken)
    {
        var atStart = await peer.GetStatusAsync(cancellationToken);
        await Task.Delay(_later, cancellationToken);
        var later = await peer.GetStatusAsync(cancellationToken);
        await peer.SetFillAsync("now", cancellationToken);
        while (true)
        {
            var filled = await peer.GetStatusAsync(cancellationToken);
            if (filled.Fill!.State == "complete") return new ResidentSizes(atStart.ResidentBytes, later.ResidentBytes, filled.ResidentBytes, filled.Fill.DataBytes);
            await Task.Delay(_often, cancellationToken);
        }
    }

    private PeerInstance Fork(PeerInstance like) =>
        like with { Vm = Vm + "-fork", Epoch = 1, TapName = Tap, Mac = ForkMac, Identity = new GuestIdentity("fork", Address, null, Fresh: true) };

    /// <summary>The machine that was packaged: its own MAC address, and nobody to tell it who it is.</summary>
    private static PeerInstance AsItWas(PeerInstance like)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(like.PackageMemoryPath)!, "manifest.json")));
        var mac = manifest.RootElement.GetProperty("machine").GetProperty("mac").GetString();
        return like with { Vm = Vm + "-again", Epoch = 1, TapName = Tap, Mac = mac, Identity = null };
    }
}
