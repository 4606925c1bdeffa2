using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A QEMU whose fdatasync(2) is counted and, once that is wished for, fails as it does on a disk that dies.</summary>
internal sealed class WatchedFlushes
{
    private const string Source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <unistd.h>

        int fdatasync(int file)
        {
            int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
            int count = open(getenv("FLUSHES_COUNT"), O_WRONLY | O_CREAT | O_APPEND, 0600);
            if (count < 0 || write(count, "1", 1) != 1 || close(count) != 0) abort();
            if (access(getenv("FLUSHES_FAIL"), F_OK) == 0) {
                errno = EIO;
                return -1;
            }
            return real(file);
        }
        """;

    private readonly string _count;
    private readonly string _fail;

    private WatchedFlushes(string folder)
    {
        Qemu = Path.Combine(folder, "qemu-watched");
        _count = Path.Combine(folder, "count");
        _fail = Path.Combine(folder, "fail");
    }

    /// <summary>The program.</summary>
    public string Qemu { get; }

    /// <summary>How often it has asked the kernel to write out a file.</summary>
    public long Count => File.Exists(_count) ? new FileInfo(_count).Length : 0;

    public static async Task<WatchedFlushes> CreateAsync(string folder)
    {
        if (ExecutablePath.Find("cc") is null) Assert.Skip("cc is not installed (package gcc): QEMU's flushes cannot be made to fail without it.");
        var watched = new WatchedFlushes(folder);
        var (source, library) = (Path.Combine(folder, "flushes.c"), Path.Combine(folder, "flushes.so"));
        await File.WriteAllTextAsync(source, Source, TestContext.Current.CancellationToken);
        await Command.RunCheckedAsync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], cancellationToken: TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            watched.Qemu,
            $"""
            #!/bin/bash
            export FLUSHES_COUNT='{watched._count}' FLUSHES_FAIL='{watched._fail}' LD_PRELOAD="$LD_PRELOAD:{library}"
            exec qemu-system-x86_64 "$@"
            """,
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(watched.Qemu, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return watched;
    }

    /// <summary>From now on.</summary>
    public void Fail() => File.WriteAllBytes(_fail, []);
}
