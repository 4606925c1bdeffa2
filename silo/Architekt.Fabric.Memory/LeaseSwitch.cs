using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// The dead man's switch inside a QEMU (native/lease.c): a kernel timer that kills it at a time only this end can put off. It needs no help from this process once it is
/// set, works on a QEMU that is stopped (SIGSTOP) and counts the time a machine is suspended.
/// </summary>
/// <remarks>Create, let QEMU inherit <see cref="InheritableDescriptor"/>, start it with <see cref="ArmingLibrary.LeaseVariable"/>, call <see cref="StopInheriting"/>.</remarks>
public sealed class LeaseSwitch : IDisposable
{
    // sys/socket.h, bits/socket_type.h
    private const int Unix = 1, Stream = 1, CloseOnExec = 0x80000;
    private readonly Socket _socket;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private SafeFileHandle? _inheritable;

    private LeaseSwitch(Socket socket, SafeFileHandle inheritable)
    {
        _socket = socket;
        _inheritable = inheritable;
    }

    /// <summary>The descriptor for QEMU; has FD_CLOEXEC here.</summary>
    public int InheritableDescriptor => (int)(_inheritable ?? throw new InvalidOperationException("QEMU has been started.")).DangerousGetHandle();

    /// <summary>Creates the two ends.</summary>
    /// <exception cref="IOException">There are no descriptors left.</exception>
    public static unsafe LeaseSwitch Create()
    {
        var ends = stackalloc int[2];
        if (Libc.SocketPair(Unix, Stream | CloseOnExec, 0, ends) != 0)
            throw new IOException($"Could not create a pair of sockets for a lease: {Libc.LastError()}", Marshal.GetLastPInvokeError());
        return new LeaseSwitch(new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>Closes QEMU's end here, so that its death is noticed.</summary>
    public void StopInheriting()
    {
        _inheritable?.Dispose();
        _inheritable = null;
    }

    /// <summary>QEMU is killed at <paramref name="at"/>, and not before; returns once that counts.</summary>
    /// <param name="at">Time of <see cref="BootClock"/>; null turns the switch off. A time that is over kills at once.</param>
    /// <param name="cancellationToken">Ends the waiting. It may count nevertheless.</param>
    /// <exception cref="IOException">QEMU is gone, or could not set its timer.</exception>
    public async Task SetAsync(TimeSpan? at, CancellationToken cancellationToken)
    {
        var message = new byte[sizeof(long)];
        var wanted = at is { } time ? Math.Max(1, time.Ticks * TimeSpan.NanosecondsPerTick) : 0;
        if (BitConverter.IsLittleEndian) BinaryPrimitives.WriteInt64LittleEndian(message, wanted);
        else BinaryPrimitives.WriteInt64BigEndian(message, wanted);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await _socket.SendAsync(message, cancellationToken);

            // Answers to earlier messages that nobody waited for come first.
            do await ReceiveAsync(message, cancellationToken);
            while (BitConverter.ToInt64(message) != wanted);
        }
        catch (SocketException error)
        {
            throw new IOException($"QEMU does not take its lease: {error.Message}", error);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Leaves the switch as it is.</summary>
    public void Dispose()
    {
        StopInheriting();
        _socket.Dispose();
        _turn.Dispose();
    }

    private async Task ReceiveAsync(byte[] message, CancellationToken cancellationToken)
    {
        for (var done = 0; done < message.Length;)
        {
            var count = await _socket.ReceiveAsync(message.AsMemory(done), cancellationToken);
            if (count == 0) throw new IOException("QEMU does not take its lease: it has closed its end.");
            done += count;
        }
    }
}
