using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// A process that is not mistaken for another one: process ids are used again, a pid together with its start time is not. Valid within one boot of the host.
/// </summary>
/// <param name="Pid">Process id.</param>
/// <param name="StartTime">Clock ticks from the host's boot to the process's start: field 22 of <c>/proc/PID/stat</c> (proc(5)).</param>
public sealed record ProcessIdentity(int Pid, long StartTime)
{
    /// <summary>The process that has this id now, or null if none runs; one that is dead but not yet reaped does not run.</summary>
    public static ProcessIdentity? Find(int pid) => ReadStat(pid) is { Alive: true } stat ? new(pid, stat.StartTime) : null;

    /// <summary>Whether this very process runs.</summary>
    public bool IsAlive() => ReadStat(Pid) is { Alive: true } stat && stat.StartTime == StartTime;

    /// <summary>Ends this very process at once (SIGKILL), and never another one that got its id. Returns false if it was gone already.</summary>
    /// <exception cref="Win32Exception">This user may not.</exception>
    public bool Kill()
    {
        // Pinned first, compared after: the descriptor keeps meaning the process it was opened for, so what is compared is what is killed.
        using var pidfd = Libc.OpenPidfd(Pid);
        if (pidfd.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            // EINVAL is what pidfd_open(2) says about a thread that is no process.
            return error is Libc.Esrch or 22 ? false : throw new Win32Exception(error, $"Cannot reach process {Pid}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        if (!IsAlive()) return false;
        return Libc.SendSignal(pidfd, Libc.Sigkill) switch
        {
            0 => true,
            Libc.Esrch => false,
            var error => throw new Win32Exception(error, $"Cannot kill process {Pid}: {Marshal.GetPInvokeErrorMessage(error)}"),
        };
    }

    internal static ProcessStat? ReadStat(int pid)
    {
        try
        {
            return ProcessStat.Parse(File.ReadAllText($"/proc/{pid}/stat"));
        }
        catch (IOException)
        {
            // Gone before the file was opened (ENOENT), or while it was read (ESRCH).
            return null;
        }
    }
}
