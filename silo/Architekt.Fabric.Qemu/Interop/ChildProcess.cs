using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// posix_spawn(3) in place of <see cref="System.Diagnostics.Process"/>, which cannot send an error stream to a file and hands every descriptor without
/// FD_CLOEXEC to every child. Here a child gets its three standard streams and the descriptors it is meant to have, nothing else, whatever other
/// threads are starting at the same time; in this process nobody needs to clear FD_CLOEXEC.
/// </summary>
internal static unsafe class ChildProcess
{
    // fcntl.h
    private const int WriteOnly = 1, Create = 0x40, Append = 0x400;

    // spawn.h
    private const short SetSignalMask = 0x08, SetSignalDefault = 0x04, NewSession = 0x80;

    /// <summary>More than glibc's (80, 336 and 128 bytes) and musl's opaque structures need.</summary>
    private const int OpaqueSize = 1024;

    /// <returns>The process id. The caller must reap it.</returns>
    /// <exception cref="Win32Exception">The program could not be executed.</exception>
    public static int Spawn(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyCollection<int> descriptors,
        string errorPath)
    {
        var actions = stackalloc byte[OpaqueSize];
        var attributes = stackalloc byte[OpaqueSize];
        using var strings = new NativeStrings();
        Check(Libc.FileActionsInit(actions), program);
        try
        {
            Check(Libc.AttributesInit(attributes), program);
            try
            {
                AddDescriptors(actions, [.. descriptors.Order().Distinct()], strings, errorPath, program);
                SetSignals(attributes, program);
                var error = Libc.PosixSpawn(
                    out var pid, strings.Add(program), actions, attributes, strings.AddArray([program, .. arguments]),
                    strings.AddArray([.. environment.Select(pair => $"{pair.Key}={pair.Value}")]));
                Check(error, program);
                return pid;
            }
            finally
            {
                _ = Libc.AttributesDestroy(attributes);
            }
        }
        finally
        {
            _ = Libc.FileActionsDestroy(actions);
        }
    }

    private static void AddDescriptors(byte* actions, int[] descriptors, NativeStrings strings, string errorPath, string program)
    {
        Check(Libc.FileActionsAddOpen(actions, 0, strings.Add("/dev/null"), 0, 0), program);
        Check(Libc.FileActionsAddOpen(actions, 1, strings.Add(errorPath), WriteOnly | Create | Append, 0x1A4 /* 0644 */), program);
        Check(Libc.FileActionsAddDup2(actions, 1, 2), program);
        var next = 3;
        foreach (var descriptor in descriptors)
        {
            // Closing what is not open is no error for posix_spawn in glibc.
            while (next < descriptor) Check(Libc.FileActionsAddClose(actions, next++), program);
            // Onto itself: clears FD_CLOEXEC in the child only (POSIX issue 8, glibc 2.29).
            Check(Libc.FileActionsAddDup2(actions, descriptor, descriptor), program);
            next = descriptor + 1;
        }
        Check(Libc.FileActionsAddCloseFrom(actions, next), program);
    }

    /// <summary>.NET ignores SIGPIPE, and what is ignored stays so across exec. A session of its own keeps the terminal's Ctrl-C away from the VM.</summary>
    private static void SetSignals(byte* attributes, string program)
    {
        var signals = stackalloc byte[OpaqueSize];
        _ = Libc.SignalSetFill(signals);
        Check(Libc.AttributesSetSignalDefault(attributes, signals), program);
        _ = Libc.SignalSetEmpty(signals);
        Check(Libc.AttributesSetSignalMask(attributes, signals), program);
        Check(Libc.AttributesSetFlags(attributes, SetSignalMask | SetSignalDefault | NewSession), program);
    }

    private static void Check(int error, string program)
    {
        if (error != 0) throw new Win32Exception(error, $"Cannot execute '{program}': {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private sealed class NativeStrings : IDisposable
    {
        private readonly List<nint> _allocated = [];

        public byte* Add(string value)
        {
            var text = Marshal.StringToCoTaskMemUTF8(value);
            _allocated.Add(text);
            return (byte*)text;
        }

        public byte** AddArray(IReadOnlyList<string> values)
        {
            var array = Marshal.AllocCoTaskMem((values.Count + 1) * sizeof(nint));
            _allocated.Add(array);
            var items = (byte**)array;
            for (var i = 0; i < values.Count; i++) items[i] = Add(values[i]);
            items[values.Count] = null;
            return items;
        }

        public void Dispose()
        {
            foreach (var item in _allocated) Marshal.FreeCoTaskMem(item);
        }
    }
}
