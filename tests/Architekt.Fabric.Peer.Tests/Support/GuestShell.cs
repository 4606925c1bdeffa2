using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The root shell on a guest's serial console.</summary>
internal static class GuestShell
{
    /// <summary>Runs a command and returns what it printed.</summary>
    public static async Task<string> RunAsync(TestPeer peer, string command, int seconds = 60)
    {
        var deadline = Deadline.After(seconds);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(peer.ConsoleSocket), deadline);
        var mark = Guid.NewGuid().ToString("N")[..8];

        // In two pieces each, so that the echo of the line is not taken for the answer.
        await socket.SendAsync(Encoding.ASCII.GetBytes($"\nprintf '%s%s\\n' be gin{mark}; ({command}); printf '%s%s\\n' e nd{mark}\n"), deadline);
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
        return text[start..text.IndexOf(end, start, StringComparison.Ordinal)].Trim();
    }
}
