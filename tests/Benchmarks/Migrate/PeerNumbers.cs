using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>What a peer costs.</summary>
internal static class PeerNumbers
{
    private static readonly TimeSpan _startDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(10);

    /// <summary>From exec to the first answer on the socket, in ms: peers of their own, which are told to run nothing.</summary>
    public static async Task<IReadOnlyList<double>> MeasureStartAsync(MigrateOptions options, PeerInstance like, int times, CancellationToken cancellationToken)
    {
        var samples = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var folder = Path.Combine(options.RunFolder, $"start.{i}");
            Directory.CreateDirectory(folder);
            var instance = like with { Vm = "start", Epoch = 1, Host = "bench" };
            await File.WriteAllTextAsync(
                Path.Combine(folder, PeerApi.InstanceFile), JsonSerializer.Serialize(instance, PeerJson.Default.PeerInstance), cancellationToken);
            samples.Add(await StartOneAsync(Path.Combine(options.RunFolder, "silo", "peer", "architekt-peer"), folder, cancellationToken));
            Directory.Delete(folder, recursive: true);
        }
        return samples;
    }

    /// <summary>CPU time over ten seconds in which nobody asks for anything, in ticks of 10 ms.</summary>
    public static async Task<(long Peer, long Silo, long Qemu)> MeasureIdleAsync(BenchHost host, RunningInstance instance, CancellationToken cancellationToken)
    {
        int[] pids = [instance.Processes.PeerPid, host.SiloPid, instance.Processes.QemuPid];
        var before = pids.Select(ProcessUsage.CpuTicks).ToArray();
        await Task.Delay(_idle, cancellationToken);
        var used = pids.Select((pid, i) => ProcessUsage.CpuTicks(pid) - before[i]).ToArray();
        return (used[0], used[1], used[2]);
    }

    public static long ResidentBytes(RunningInstance instance) =>
        ProcessUsage.ResidentBytesWithout(instance.Processes.PeerPid, Path.Combine(instance.Folder, PeerApi.MemoryFile));

    private static async Task<double> StartOneAsync(string peer, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(peer, ["--folder", folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        try
        {
            while (!await AnswersAsync(Path.Combine(folder, PeerApi.SocketName), cancellationToken))
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(began) > _startDeadline)
                    throw new InvalidOperationException($"The peer does not answer: {await process.StandardError.ReadToEndAsync(cancellationToken)}");
                await Task.Delay(TimeSpan.FromMilliseconds(1), cancellationToken);
            }
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task<bool> AnswersAsync(string path, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            await socket.SendAsync("GET /v1/status HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[32];
            var length = await socket.ReceiveAsync(answer, cancellationToken);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
