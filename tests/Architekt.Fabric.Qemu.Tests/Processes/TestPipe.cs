using System.Runtime.InteropServices;

namespace Architekt.Fabric.Qemu.Tests.Processes;

/// <summary>A pipe whose ends are bare numbers, with or without FD_CLOEXEC.</summary>
internal sealed unsafe partial class TestPipe : IDisposable
{
    private const int CloseOnExec = 0x80000;

    public TestPipe(bool closeOnExec)
    {
        var ends = stackalloc int[2];
        Assert.Equal(0, Pipe2(ends, closeOnExec ? CloseOnExec : 0));
        (Read, Write) = (ends[0], ends[1]);
    }

    public int Read { get; }

    public int Write { get; }

    /// <summary>What /proc shows for it in whichever process has it.</summary>
    public string Target => new FileInfo($"/proc/self/fd/{Write}").LinkTarget!;

    public void Dispose()
    {
        _ = Libc.Close(Read);
        _ = Libc.Close(Write);
    }

    [LibraryImport("libc", EntryPoint = "pipe2")]
    private static partial int Pipe2(int* ends, int flags);
}
