using System.Diagnostics;
using Architekt.Fabric.Network.Interop;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network;

/// <summary>
/// Two TAPs on a bridge in a network namespace that nobody else is in: what goes into the one comes out of the other. The card's end has a virtio_net_hdr before each frame, the near
/// end has none: what is left open there about checksums and segments, the kernel does on the way.
/// </summary>
/// <remarks>
/// For everyone but root the namespace is made within a user namespace (user_namespaces(7)), so that no rights are needed but those on /dev/net/tun. It goes with the last descriptor,
/// also by SIGKILL. The descriptors are close-on-exec.
/// </remarks>
public sealed class PrivateCable : IDisposable
{
    private const string Card = "card";
    private const string Near = "near";

    // Two numbers that no shell uses itself.
    private const int CardNumber = 8;
    private const int NearNumber = 9;
    private const string Ready = "ready";

    // The TAPs are made here, where the rights are, and opened here, because a descriptor belongs to the namespace it was opened in.
    private const string Script = """
        set -e
        ip link add bridge0 type bridge mcast_snooping 0
        ip tuntap add dev card mode tap vnet_hdr
        ip tuntap add dev near mode tap
        for name in card near; do
            echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6 2>/dev/null || :
            ip link set $name master bridge0 up
        done
        echo 1 >/proc/sys/net/ipv6/conf/bridge0/disable_ipv6 2>/dev/null || :
        ip link set bridge0 up
        exec 8<>/dev/net/tun 9<>/dev/net/tun
        echo ready
        read -r end || :
        """;

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(10);

    private readonly Descriptor _card;
    private readonly Descriptor _near;

    private PrivateCable(Descriptor card, Descriptor near) => (_card, _near) = (card, near);

    /// <summary>The TAP for a guest's card, with virtio_net_hdr.</summary>
    public int CardDescriptor => _card.Number;

    /// <summary>The other end, plain frames.</summary>
    public int NearDescriptor => _near.Number;

    /// <summary>Makes a cable.</summary>
    /// <param name="cancellationToken">Cancels it; nothing is left.</param>
    /// <exception cref="NetworkException">No namespace, no TAP: the message says what is missing.</exception>
    /// <exception cref="ToolMissingException">unshare(1) or ip(8) is not installed.</exception>
    public static async Task<PrivateCable> OpenAsync(CancellationToken cancellationToken)
    {
        _ = ExecutablePath.Require("ip", "iproute2");
        var start = new ProcessStartInfo(ExecutablePath.Require("unshare", "util-linux"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        IReadOnlyList<string> rights = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        foreach (var word in (IEnumerable<string>)["--net", .. rights, "--", "/bin/sh", "-c", Script]) start.ArgumentList.Add(word);

        // Where a user's PATH does not have the system's tools.
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        using var maker = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_limit);
        try
        {
            if (await maker.StandardOutput.ReadLineAsync(limit.Token).ConfigureAwait(false) != Ready)
                throw await RefusalAsync(maker, limit.Token).ConfigureAwait(false);
            return Take(maker.Id);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NetworkException($"No private network could be made: unshare did not end within {_limit.TotalSeconds:0} s.");
        }
        finally
        {
            maker.Kill();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _card.Dispose();
        _near.Dispose();
    }

    private static async Task<NetworkException> RefusalAsync(Process maker, CancellationToken cancellationToken)
    {
        var said = (await maker.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false)).Trim().ReplaceLineEndings(", ");
        return new NetworkException(
            $"No private network could be made ({said}): it needs /dev/net/tun, readable and writable for this user, and network namespaces, for everyone but root also user namespaces "
            + "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone); allow them, or run as root.");
    }

    private static PrivateCable Take(int pid)
    {
        using var process = NativeMethods.OpenProcess(NativeMethods.SysPidfdOpen, pid, 0);
        if (process.IsInvalid) throw NetworkException.FromLastError("No private network could be made: its maker ended");
        var card = Take(process, CardNumber, Card, NativeMethods.TunVirtioHeader);
        try
        {
            return new PrivateCable(card, Take(process, NearNumber, Near, 0));
        }
        catch
        {
            card.Dispose();
            throw;
        }
    }

    private static Descriptor Take(Descriptor process, int number, string name, short header)
    {
        var descriptor = NativeMethods.GetDescriptor(NativeMethods.SysPidfdGetDescriptor, process, number, 0);
        var request = InterfaceRequest.For(name);
        request.Flags = (short)(NativeMethods.TunTap | NativeMethods.TunNoPacketInformation | header);

        // Transient from now on, or the namespace's end would be theirs and not that of the descriptors.
        if (!descriptor.IsInvalid
            && NativeMethods.Ioctl(descriptor, NativeMethods.TunSetInterface, ref request) == 0
            && NativeMethods.Ioctl(descriptor, NativeMethods.TunSetPersistent, 0) == 0)
            return descriptor;
        var failure = NetworkException.FromLastError("The TAPs of a private network could not be taken over (pidfd_getfd, Linux 5.6)");
        descriptor.Dispose();
        throw failure;
    }
}
