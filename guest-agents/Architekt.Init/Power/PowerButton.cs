using System.Runtime.InteropServices;
using Architekt.Init.Interop;

namespace Architekt.Init.Power;

/// <summary>Reports that the host has pressed the machine's power button (ACPI; the modules button and evdev).</summary>
internal static class PowerButton
{
    // include/uapi/linux/input-event-codes.h; struct input_event is two longs, type, code, value.
    private const ushort KeyEvent = 1;
    private const ushort KeyPower = 116;
    private const int KeyPressed = 1;
    private const int EventSize = 24;
    private const int TypeOffset = 16;
    private const int CodeOffset = 18;
    private const int ValueOffset = 20;

    private const string DeviceFolder = "/dev/input";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>Begins to watch all input devices.</summary>
    internal static void Watch(Action pressed) => new Thread(() => WatchDevices(pressed)) { IsBackground = true }.Start();

    /// <summary>
    /// Looks whenever the kernel says that there is another, and never by the clock: a guest that has been made a package would do so each time it is resumed, just when its clients wait for
    /// it, and under software emulation that takes 20 ms.
    /// </summary>
    private static void WatchDevices(Action pressed)
    {
        var watched = new HashSet<string>();
        using var news = DeviceNews.Open(_patience);
        while (true)
        {
            foreach (var path in Directory.Exists(DeviceFolder) ? Directory.GetFiles(DeviceFolder, "event*") : [])
            {
                if (watched.Add(path))
                    new Thread(() => ReadEvents(path, pressed)) { IsBackground = true }.Start();
            }

            if (news.WaitFor("DEVNAME=input/event"u8))
                continue;
            if (watched.Count == 0)
                GuestConsole.Say("there is no power button; the host cannot ask this guest to shut down");
            return;
        }
    }

    private static void ReadEvents(string path, Action pressed)
    {
        using var device = LibC.Open(path, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
        Span<byte> input = stackalloc byte[EventSize];
        while (!device.IsInvalid)
        {
            var count = LibC.Read(device, input, input.Length);
            if (count < 0 && Marshal.GetLastPInvokeError() == LibC.Interrupted)
                continue;
            if (count < EventSize)
                return;
            if (MemoryMarshal.Read<ushort>(input[TypeOffset..]) == KeyEvent && MemoryMarshal.Read<ushort>(input[CodeOffset..]) == KeyPower
                && MemoryMarshal.Read<int>(input[ValueOffset..]) == KeyPressed)
                pressed();
        }
    }
}
