namespace Architekt.GuestPorts;

/// <summary>Finds a virtio-serial port by the name the host gave it.</summary>
/// <param name="deviceFolder">Where device nodes are.</param>
/// <param name="classFolder">Where the kernel lists virtio ports.</param>
public sealed class PortLocator(string deviceFolder = "/dev", string classFolder = "/sys/class/virtio-ports")
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The path of a port's device, or null when there is none yet.</summary>
    /// <remarks>udev makes a link by name; busybox's mdev and a bare devtmpfs do not, so the kernel's own list is asked next.</remarks>
    public string? Find(string portName)
    {
        var link = Path.Combine(deviceFolder, "virtio-ports", portName);
        if (File.Exists(link))
            return link;
        if (!Directory.Exists(classFolder))
            return null;
        foreach (var port in Directory.EnumerateDirectories(classFolder))
        {
            var device = Path.Combine(deviceFolder, Path.GetFileName(port));
            if (ReadName(port) == portName && File.Exists(device))
                return device;
        }

        return null;
    }

    /// <summary>Waits until a port is there; the driver may be loaded later than this program.</summary>
    /// <exception cref="GuestPortException">It is not there in time.</exception>
    public string WaitFor(string portName, TimeSpan timeout)
    {
        var deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            if (Find(portName) is { } path)
                return path;
            if (Environment.TickCount64 >= deadline)
            {
                throw new GuestPortException(
                    $"No virtio-serial port is named {portName}: looked in {deviceFolder}/virtio-ports and {classFolder}/*/name for {timeout.TotalSeconds:0.###} s. " +
                    "Load the virtio_console module, give the VM the port, or name a device with --port.");
            }

            Thread.Sleep(_pollInterval);
        }
    }

    private static string? ReadName(string port)
    {
        try
        {
            return File.ReadAllText(Path.Combine(port, "name")).Trim();
        }
        catch (IOException)
        {
            // A port without a name has no such file, and a port may be unplugged while we look.
            return null;
        }
    }
}
