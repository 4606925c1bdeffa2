using System.Text;
using Architekt.Init.Interop;

namespace Architekt.Init;

/// <summary>What the guest has to say to whoever reads its console.</summary>
/// <remarks>Not <see cref="Console"/>: that brings signal handlers and terminal settings of its own.</remarks>
internal static class GuestConsole
{
    private const int StandardOutput = 1;

    internal static void Say(string message)
    {
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes($"architekt: {message}\n");
        while (bytes.Length > 0)
        {
            var count = LibC.Write(StandardOutput, bytes, bytes.Length);
            if (count <= 0)
                return;
            bytes = bytes[(int)count..];
        }
    }
}
