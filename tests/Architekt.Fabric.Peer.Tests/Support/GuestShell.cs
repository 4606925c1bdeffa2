using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The root shell on a guest's serial console.</summary>
internal static class GuestShell
{
    /// <summary>Waits until the guest, which writes numbered records to its disk all the time, has been told of some more that they are there.</summary>
    public static Task WriteRecordsAsync(TestPeer peer) => RunAsync(
        peer, "n() { cat /var/lib/diskcheck/last 2>/dev/null || echo 0; }; l=$(n); while [ $(n) -lt $((l + 3)) ]; do usleep 50000; done");

    /// <summary>Has the guest read its newest records back from the disk itself, as its diskcheck does with more of them.</summary>
    public static async Task VerifyRecordsAsync(TestPeer peer)
    {
        var found = await RunAsync(
            peer,
            "sync; echo 3 >/proc/sys/vm/drop_caches; cd /var/lib/diskcheck; l=$(cat last); n=$((l > 20 ? l - 20 : 1)); ok=0; while [ $n -le $l ]; do f=$((n % 256)); "
            + "if [ \"$(head -n 1 $f)\" = \"$n $(tail -n +2 $f | sha256sum | cut -d ' ' -f 1)\" ]; then ok=$((ok + 1)); else echo \"$n is bad\"; fi; n=$((n + 1)); done; echo $ok whole");
        Assert.Matches(@"\b[1-9]\d* whole", found);
        Assert.DoesNotContain("is bad", found, StringComparison.Ordinal);
    }

    /// <summary>
    /// Has the guest overwrite 16 sectors of its disk in turn with ascending numbers, and look each time, on the disk itself, whether the sector still has what it wrote there last: a disk of a
    /// later moment than the memory has something newer.
    /// </summary>
    public static async Task StartRingAsync(TestPeer peer)
    {
        await RunAsync(
            peer,
            "f=/var/lib/diskcheck/ring; dd if=/dev/zero of=$f bs=512 count=16 conv=fsync 2>/dev/null; :>/tmp/ring-bad; echo 0 >/tmp/ring; (n=0; while :; do s=$((n % 16)); echo 1 >/proc/sys/vm/drop_caches; "
            + "o=$(dd if=$f bs=512 skip=$s count=1 2>/dev/null | head -n 1 | tr -d '\\000'); [ $n -lt 16 ] || [ \"$o\" = $((n - 16)) ] || echo \"$((n - 16)) became $o\" >>/tmp/ring-bad; "
            + "echo $n | dd of=$f bs=512 seek=$s conv=notrunc,fsync 2>/dev/null; n=$((n + 1)); echo $n >/tmp/ring-new; mv /tmp/ring-new /tmp/ring; done) >/dev/null 2>&1 </dev/null &");
        await VerifyRingAsync(peer);
    }

    /// <summary>Waits until the guest has looked at all of its ring twice, and fails if something was not as it had written it.</summary>
    public static async Task VerifyRingAsync(TestPeer peer)
    {
        var found = await RunAsync(peer, "l=$(cat /tmp/ring); while [ $(cat /tmp/ring) -lt $((l + 32)) ]; do usleep 50000; done; cat /tmp/ring-bad; echo looked $(cat /tmp/ring) times");
        Assert.Matches(@"looked [1-9]\d+ times", found);
        Assert.DoesNotContain(" became ", found, StringComparison.Ordinal);
    }

    /// <summary>Runs a command and returns what it printed.</summary>
    public static async Task<string> RunAsync(TestPeer peer, string command, int seconds = 60)
    {
        var deadline = Deadline.After(seconds);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(peer.ConsoleSocket), deadline);
        var mark = Guid.NewGuid().ToString("N")[..8];

        // In two pieces each, so that the echo of the line is not taken for the answer. Others in the guest write to the console as well: what was asked for is marked.
        var line = $"\nprintf '%s%s\\n' be gin{mark}; ({command}) 2>&1 | sed 's/^/{mark[..4]}''{mark[4..]} /'; printf '%s%s\\n' e nd{mark}\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(line), deadline);
        var said = new StringBuilder();
        var buffer = new byte[4096];
        string begin = $"begin{mark}", end = $"end{mark}";
        while (!said.ToString().Contains(end, StringComparison.Ordinal))
        {
            var count = await socket.ReceiveAsync(buffer, deadline);
            Assert.True(count > 0, $"The console closed: {said}");
            said.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        var text = said.ToString();
        var start = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var lines = Regex.Matches(text[start..text.IndexOf(end, start, StringComparison.Ordinal)], $"{mark} ([^\r\n]*)");
        return string.Join('\n', lines.Select(static line => line.Groups[1].Value)).Trim();
    }
}
