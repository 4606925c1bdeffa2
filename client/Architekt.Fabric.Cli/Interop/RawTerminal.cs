using System.Runtime.InteropServices;

namespace Architekt.Fabric.Cli.Interop;

/// <summary>Puts the terminal on standard input into raw mode (termios(3), cfmakeraw) until disposed.</summary>
internal sealed partial class RawTerminal : IDisposable
{
    // struct termios is 60 bytes with glibc and musl on Linux and 72 on macOS; it is only handed back to the C library.
    private const int TermiosSize = 128;
    private const int Now = 0;
    private readonly byte[] _saved;

    private RawTerminal(byte[] saved) => _saved = saved;

    /// <summary>Enters raw mode, or returns null when standard input is no terminal.</summary>
    public static RawTerminal? Enter()
    {
        var saved = new byte[TermiosSize];
        if (GetAttributes(0, saved) != 0) return null;
        var raw = (byte[])saved.Clone();
        MakeRaw(raw);
        return SetAttributes(0, Now, raw) == 0 ? new RawTerminal(saved) : null;
    }

    public void Dispose() => _ = SetAttributes(0, Now, _saved);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, Span<byte> attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, ReadOnlySpan<byte> attributes);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw(Span<byte> attributes);
}
