using System.Diagnostics;
using Architekt.Fabric.Network.Tests.Hosts;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network.Tests;

public sealed class TapDeviceTests
{
    private const string Bridge = "akbr";
    private static readonly string _name = TapName.For("vm", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TapDevice Open(NetworkNamespace host, bool persistent = false) => host.Run(() => TapDevice.Open(_name, persistent));

    [Fact]
    public async Task Dispose_LastDescriptor_InterfaceIsGone()
    {
        using var host = await NetworkNamespace.CreateAsync();
        using (Open(host))
            Assert.True(await host.HasInterfaceAsync(_name));

        Assert.False(await host.HasInterfaceAsync(_name));
    }

    [Fact]
    public async Task Open_HeldByAnother_SaysSo()
    {
        using var host = await NetworkNamespace.CreateAsync();
        using var tap = Open(host);

        var error = Assert.Throws<NetworkException>(() => Open(host));

        Assert.Contains("another process holds it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NameOfAnotherKind_SaysSo()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await host.IpAsync($"link add {_name} type bridge");

        var error = Assert.Throws<NetworkException>(() => Open(host));

        Assert.Contains("another kind", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sixteen-letters-")]
    [InlineData("a b")]
    [InlineData("a/b")]
    public void Open_ImpossibleName_IsRefusedBeforeAnythingIsOpened(string name) => Assert.Throws<ArgumentException>(() => TapDevice.Open(name));

    [Fact]
    public async Task Open_Persistent_StaysAndIsOpenedAgainAndCanBeMadeTransient()
    {
        using var host = await NetworkNamespace.CreateAsync();
        Open(host, persistent: true).Dispose();
        Assert.True(await host.HasInterfaceAsync(_name));

        Open(host).Dispose();

        Assert.False(await host.HasInterfaceAsync(_name));
    }

    [Fact]
    public async Task AttachToBridge_Tap_IsAPortWithTheBridgesMtuAndDetachFreesIt()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await new HostBridge(host.Ip).EnsureAsync(Bridge, cancellationToken: Token);
        await host.IpAsync($"link set dev {Bridge} mtu 9000");
        using var tap = Open(host);

        // From a thread outside the namespace: the device stays in the one where it was opened.
        tap.AttachToBridge(Bridge);
        tap.AttachToBridge(Bridge);
        tap.SetUp(true);

        Assert.Equal(Bridge, await host.MasterOfAsync(_name));
        Assert.Equal(9000, tap.Mtu);
        Assert.True(tap.IsUp);

        tap.Detach();
        tap.Detach();
        tap.SetUp(false);

        Assert.Null(await host.MasterOfAsync(_name));
        Assert.False(tap.IsUp);
    }

    [Fact]
    public async Task AttachToBridge_OtherBridge_Moves()
    {
        using var host = await NetworkNamespace.CreateAsync();
        await new HostBridge(host.Ip).EnsureAsync("one", cancellationToken: Token);
        await new HostBridge(host.Ip).EnsureAsync("two", cancellationToken: Token);
        using var tap = Open(host);

        tap.AttachToBridge("one");
        tap.AttachToBridge("two");

        Assert.Equal("two", await host.MasterOfAsync(_name));
    }

    [Fact]
    public async Task AttachToBridge_NoSuchBridge_NamesIt()
    {
        using var host = await NetworkNamespace.CreateAsync();
        using var tap = Open(host);

        var error = Assert.Throws<NetworkException>(() => tap.AttachToBridge("nowhere"));

        Assert.Contains("'nowhere'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InheritableDescriptor_ChildHoldsIt_InterfaceLivesUntilTheChildIsKilled()
    {
        using var host = await NetworkNamespace.CreateAsync();
        var tap = Open(host);
        using var child = Process.Start("sleep", ["1000"]);
        using var heir = StartHeir(tap, out var number);
        using var later = Process.Start("sleep", ["1000"]);
        try
        {
            Assert.False(HasTun(child, number), "A child from before must not hold the TAP.");
            Assert.True(HasTun(heir, number), "The child for which the descriptor was made inheritable must hold the TAP.");
            Assert.False(HasTun(later, number), "A child from after must not hold the TAP.");

            tap.Dispose();
            Assert.True(await host.HasInterfaceAsync(_name));

            heir.Kill();
            await heir.WaitForExitAsync(Token);
            var started = Stopwatch.GetTimestamp();
            while (await host.HasInterfaceAsync(_name))
                Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, "The interface has outlived its last holder.");
        }
        finally
        {
            tap.Dispose();
            foreach (var process in new[] { child, heir, later }.Select(process => process.Id).Select(ProcessIdentity.TryOf))
                process?.Kill(ProcessSignal.Kill);
        }
    }

    private static Process StartHeir(TapDevice tap, out int number)
    {
        number = tap.InheritableDescriptor;
        var heir = Process.Start("sleep", ["1000"]);
        tap.StopInheriting();
        return heir;
    }

    private static bool HasTun(Process process, int number)
    {
        var link = new FileInfo($"/proc/{process.Id}/fd/{number}");
        return Directory.EnumerateFileSystemEntries(link.DirectoryName!).Contains(link.FullName) && link.LinkTarget == "/dev/net/tun";
    }
}
