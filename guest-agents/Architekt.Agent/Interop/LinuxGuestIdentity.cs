using System.Globalization;
using System.Text;
using Architekt.Agent.Calls;

namespace Architekt.Agent.Interop;

/// <summary>The machine this program runs on. Needs no program in it, only files, ioctls and the privileges of root.</summary>
/// <remarks>
/// A guest that was just resumed is heard only after this, and all it runs it runs for the first time: under software emulation each program path costs its translation. So it goes
/// straight to the system calls.
/// </remarks>
internal sealed class LinuxGuestIdentity : IGuestIdentity
{
    private readonly string _root;
    private string? _card;

    /// <param name="root">Where the files are.</param>
    internal LinuxGuestIdentity(string root = "/")
    {
        _root = root;
        try
        {
            _card = FirstCard();
        }
        catch (IOException)
        {
            // One that goes while it is being looked at; it is looked for again when it is needed.
        }
    }

    /// <inheritdoc/>
    public string? SetHostname(string hostname)
    {
        var bytes = Encoding.ASCII.GetBytes(hostname);
        if (LibC.SetHostname(bytes, (nuint)bytes.Length) != 0)
            return $"Cannot set the hostname: {LibC.LastError()}.";

        // Where there is no such file, something else gives the guest its name when it boots.
        var file = InRoot("etc/hostname");
        return File.Exists(file) ? Write(file, hostname) : null;
    }

    /// <inheritdoc/>
    public string? SetMachineId(string machineId)
    {
        // D-Bus has a copy of its own on systems where that is not a link to the first.
        var copy = InRoot("var/lib/dbus/machine-id");
        var failure = Write(InRoot("etc/machine-id"), machineId);
        return File.Exists(copy) && new FileInfo(copy).LinkTarget is null ? failure ?? Write(copy, machineId) : failure;
    }

    /// <inheritdoc/>
    public string? SetNetwork(NewIdentity wanted)
    {
        // It may have come, or another may have taken its place, since this program was started.
        if (_card is null || !Path.Exists(DeviceOf(_card)))
            _card = FirstCard();
        if (_card is not { } name)
            return "There is no network card to give an address to.";
        try
        {
            using var card = NetworkCard.Open(name);
            var gateway = wanted.Gateway ?? (wanted.Address is null ? null : card.DefaultGateway());
            if (wanted.Mac is { } mac)
                card.SetMac(mac);
            if (wanted.Address is { } address)
                card.SetAddress(address, wanted.PrefixBits);
            if (gateway is not null)
                card.SetDefaultGateway(gateway);
            return null;
        }
        catch (IOException error)
        {
            return error.Message;
        }
    }

    /// <summary>The card that the kernel found first. What has no device beneath it is a loopback, a bridge or a tunnel.</summary>
    private string? FirstCard()
    {
        var folder = InRoot("sys/class/net");
        return !Directory.Exists(folder) ? null : Directory.GetFileSystemEntries(folder)
            .Where(entry => Path.Exists(DeviceOf(Path.GetFileName(entry))))
            .OrderBy(static entry => int.Parse(File.ReadAllText(Path.Combine(entry, "ifindex")), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture))
            .Select(Path.GetFileName)
            .FirstOrDefault();
    }

    private string DeviceOf(string card) => InRoot($"sys/class/net/{card}/device");

    private string InRoot(string path) => Path.Combine(_root, path);

    /// <summary>By rename, so that nobody reads half of it.</summary>
    private static string? Write(string path, string line)
    {
        var temporary = path + ".new";
        if (LibC.WriteFile(temporary, Encoding.ASCII.GetBytes(line + "\n")) && LibC.Rename(temporary, path) == 0)
            return null;
        var failure = $"Cannot write {path}: {LibC.LastError()}.";
        _ = LibC.Unlink(temporary);
        return failure;
    }
}
