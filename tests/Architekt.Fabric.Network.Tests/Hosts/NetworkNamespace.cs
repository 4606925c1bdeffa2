using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Tests.Interop;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>A network namespace that lives as long as a test.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private NetworkNamespace(string name)
    {
        Name = name;
        Ip = new IpCommand(name);
    }

    internal string Name { get; }

    internal IpCommand Ip { get; }

    internal static async Task<NetworkNamespace> CreateAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Network namespaces need root.");
        Assert.SkipUnless(File.Exists("/dev/net/tun"), "There is no /dev/net/tun.");
        Assert.SkipWhen(ExecutablePath.Find("ip") is null, "`ip` is not installed (Debian package iproute2).");

        var created = new NetworkNamespace($"akt-{Guid.NewGuid():N}"[..16]);
        try
        {
            await Command.RunCheckedAsync("ip", ["netns", "add", created.Name], cancellationToken: TestContext.Current.CancellationToken);
        }
        catch (CommandFailedException e) when (e.StandardError.Contains("Operation not permitted", StringComparison.Ordinal))
        {
            Assert.Skip($"Root may not make network namespaces here: {e.Message}");
        }

        // The kernel's own neighbour discovery would be among the frames that the tests count.
        created.Run(() =>
        {
            foreach (var which in new[] { "all", "default" }.Select(which => $"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").Where(File.Exists))
                File.WriteAllText(which, "1");
        });
        return created;
    }

    internal Task<string> IpAsync(string words) => Ip.RunAsync(words.Split(' '), TestContext.Current.CancellationToken);

    internal async Task<bool> HasInterfaceAsync(string name)
        => IpLink.Read(await IpAsync("-j link show")).Any(link => link.Name == name);

    internal async Task<string?> MasterOfAsync(string name)
        => IpLink.Read(await IpAsync("-j link show")).Single(link => link.Name == name).Master;

    /// <summary>Until then the kernel throws away what is sent: a queue is only put in place when the link watch has seen the carrier.</summary>
    internal async Task WaitUntilCarriesAsync(string name)
    {
        var started = Stopwatch.GetTimestamp();
        while (!(await IpAsync($"link show dev {name}")).Contains("state UP", StringComparison.Ordinal))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, $"'{name}' in {Name} has not come up.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The port behind which the bridge believes the address to be.</summary>
    internal async Task<string?> LearnedPortAsync(string bridge, MacAddress mac)
    {
        var result = await Command.RunCheckedAsync(
            "bridge", ["-n", Name, "-j", "fdb", "show", "br", bridge], cancellationToken: TestContext.Current.CancellationToken);
        using var entries = System.Text.Json.JsonDocument.Parse(result.StandardOutput);
        return entries.RootElement.EnumerateArray()
            .Where(entry => entry.GetProperty("mac").GetString() == mac.ToString())
            .Select(entry => entry.GetProperty("ifname").GetString())
            .FirstOrDefault();
    }

    internal void Run(Action action) => Run(() =>
    {
        action();
        return 0;
    });

    /// <summary>Runs code on a thread of its own inside the namespace. Sockets and TAPs opened there stay in it.</summary>
    internal T Run<T>(Func<T> action)
    {
        var result = default(T);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{Name}");
                if (TestNativeMethods.SetNamespace(handle, TestNativeMethods.NewNetwork) != 0)
                    throw new InvalidOperationException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
                result = action();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    public void Dispose() => Command.RunCheckedAsync("ip", ["netns", "delete", Name]).GetAwaiter().GetResult();
}
