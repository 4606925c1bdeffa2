using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>A silo of the release before, or one that was taken back to it, drives a peer of this one.</summary>
public sealed class PreviousVersionTests : IDisposable
{
    private readonly TestHost _host = new();

    [Fact]
    public async Task InstanceAndCalls_OfVersionOne_AreUnderstood()
    {
        await using var peer = await PeerProcess.StartAsync(_host, TestHost.RequireGuest(), version: 1, Write);

        Assert.Equal(PeerState.Idle, (await peer.GetStatusAsync()).State);
        Assert.Equal(PeerState.Running, (await peer.PostAsync("boot", new PeerGrant(2), PeerJson.Default.PeerGrant)).State);
        Assert.Equal(PeerState.Paused, (await peer.PostAsync("pause", new PeerGrant(2), PeerJson.Default.PeerGrant)).State);
        Assert.Equal(PeerState.Running, (await peer.PostAsync("resume", new PeerGrant(2), PeerJson.Default.PeerGrant)).State);
        await peer.PostAsync("stop", new PeerStop(2, Force: true), PeerJson.Default.PeerStop);
        Assert.Equal(PeerExitKind.Killed, (await peer.WaitForExitAsync()).Kind);
    }

    public void Dispose() => _host.Dispose();

    /// <summary>As version 1 wrote it: its members, in its order, and no others.</summary>
    private static string Write(PeerInstance instance) => $$"""
        {"apiVersion":1,"vm":"guest","epoch":2,"host":"host-a","dataAddress":"127.0.0.1","qemuBinary":"qemu-system-x86_64","machineType":"q35","accelerator":"tcg",
        "cpuModel":"max","vcpus":1,"memoryBytes":{{instance.MemoryBytes}},"kernelPath":"{{instance.KernelPath}}","initramfsPath":"{{instance.InitramfsPath}}",
        "kernelCommandLine":"{{instance.KernelCommandLine}}","baseDiskPath":"{{instance.BaseDiskPath}}","overlayDiskPath":"{{instance.OverlayDiskPath}}",
        "consoleLogPath":"{{instance.ConsoleLogPath}}","hasAgent":true,"fill":"idle"}
        """;
}
