using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Processes.Interop;

/// <summary>A pidfd (pidfd_open(2)): it keeps meaning the same process, even when the number is given to another one.</summary>
internal static class ProcessDescriptor
{
    /// <summary>Null when there is no such process.</summary>
    internal static Descriptor? Open(int pid)
    {
        var raw = NativeMethods.PidfdOpen(NativeMethods.SysPidfdOpen, pid, 0);
        if (raw >= 0)
            return new Descriptor(raw);

        var error = Marshal.GetLastPInvokeError();
        return error == NativeMethods.NoSuchProcess
            ? null
            : throw new Win32Exception(error, $"Process {pid} cannot be opened with pidfd_open: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>False when the process has ended.</summary>
    internal static bool Signal(Descriptor process, int signal)
    {
        if (NativeMethods.PidfdSendSignal(NativeMethods.SysPidfdSendSignal, process, signal, 0, 0) == 0)
            return true;

        var error = Marshal.GetLastPInvokeError();
        return error == NativeMethods.NoSuchProcess
            ? false
            : throw new Win32Exception(error, $"Signal {signal} cannot be sent: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>Blocks until the process has ended (true), the time is up or <paramref name="wake"/> is signalled (false).</summary>
    internal static unsafe bool Wait(Descriptor process, Descriptor wake, TimeSpan timeout)
    {
        var started = Stopwatch.GetTimestamp();
        var watched = stackalloc NativeMethods.PollDescriptor[2];
        while (true)
        {
            var left = timeout == Timeout.InfiniteTimeSpan ? -1 : Math.Clamp((timeout - Stopwatch.GetElapsedTime(started)).TotalMilliseconds, 0, int.MaxValue);
            watched[0] = new NativeMethods.PollDescriptor { Descriptor = process.Number, Events = NativeMethods.PollIn };
            watched[1] = new NativeMethods.PollDescriptor { Descriptor = wake.Number, Events = NativeMethods.PollIn };
            if (NativeMethods.Poll(watched, 2, (int)Math.Ceiling(left)) >= 0)
                return watched[0].Returned != 0;

            var error = Marshal.GetLastPInvokeError();
            if (error != NativeMethods.Interrupted)
                throw new Win32Exception(error, $"Waiting for a process failed: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }
}
