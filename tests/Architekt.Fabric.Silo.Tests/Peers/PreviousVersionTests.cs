using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Silo.Peers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Silo.Tests.Peers;

/// <summary>A silo finds the peers again that the release before has started, and drives them as that release did. The files are as it wrote them.</summary>
public sealed class PreviousVersionTests : IDisposable
{
    private const string Instance = """
        {"apiVersion":1,"vm":"redis","epoch":3,"host":"host-a","dataAddress":"10.0.0.1","qemuBinary":"qemu-system-x86_64","qemuUserId":64910,"qemuGroups":[104],
        "machineType":"q35","accelerator":"tcg","cpuModel":"max","vcpus":1,"memoryBytes":268435456,"kernelPath":"/p/kernel","initramfsPath":"/p/initramfs",
        "kernelCommandLine":"console=ttyS0","baseDiskPath":"/p/disk","overlayDiskPath":"/d/redis.3.qcow2","consoleLogPath":"/l/redis.3.console.log",
        "mac":"52:54:00:12:34:56","tapName":"fab0123456789","bridge":"br0","hasAgent":true,"packageDigest":"sha256-00","fill":"idle"}
        """;

    private const string Identity = """{"apiVersion":1,"peerPid":2147483646,"peerStartTicks":17,"qemuPid":0,"qemuStartTicks":0,"grantedEpoch":3}""";

    private const string Status = """
        {"vm":"redis","epoch":3,"grantedEpoch":3,"state":"Running","isLive":true,"residentBytes":104857600,"bases":["sha256-00"]}
        """;

    private readonly TestHost _host = new();

    [Fact]
    public async Task Peer_OfTheReleaseBefore_IsReadAndAskedInItsOwnVersion()
    {
        var folder = InstanceFolder.For(_host.Path, "redis", 3);
        Directory.CreateDirectory(folder.Path);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, PeerApi.InstanceFile), Instance, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, PeerApi.IdentityFile), Identity, TestContext.Current.CancellationToken);
        var paths = new List<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(folder.Path, PeerApi.SocketName)));
        await using var server = builder.Build();
        server.Run(context =>
        {
            paths.Add(context.Request.Path);
            return context.Response.WriteAsync(Status);
        });
        await server.StartAsync(TestContext.Current.CancellationToken);

        var instance = folder.ReadInstance()!;
        using var peer = new SupervisedPeer(folder, instance, default);
        var status = await peer.Client.GetStatusAsync(TestContext.Current.CancellationToken);
        await peer.Client.StopAsync(3, force: true, TestContext.Current.CancellationToken);

        Assert.Equal((1, false, 3L), (instance.ApiVersion, instance.HasLease, folder.ReadIdentity()!.GrantedEpoch));
        Assert.Equal((PeerState.Running, null), (status.State, status.IsLeaseOver));
        Assert.Equal(["/v1/status", "/v1/stop"], paths);
    }

    public void Dispose() => _host.Dispose();
}
