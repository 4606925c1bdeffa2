using System.Text;
using Architekt.Init.Interop;
using Architekt.InitConfiguration;

namespace Architekt.Init.Boot;

/// <summary>The guest's name, folders and kernel settings. What fails is said, and the guest goes on.</summary>
internal static class SystemSettings
{
    internal static void Apply(GuestConfiguration configuration, KernelCommandLine commandLine)
    {
        foreach (var folder in configuration.Folders)
            Try($"make {folder.Path}", () => Make(folder));
        foreach (var (name, value) in configuration.Sysctls)
            Try($"set {name}", () => File.WriteAllText($"/proc/sys/{name.Replace('.', '/')}", value));

        var hostName = commandLine.Value("hostname") ?? configuration.HostName;
        var bytes = Encoding.UTF8.GetBytes(hostName);
        if (LibC.SetHostName(bytes, bytes.Length) != 0)
            GuestConsole.Say($"cannot be called '{hostName}': {LibC.LastError()}");
        Try("write /etc/hosts", () => WriteHosts(hostName, isAsked: commandLine.Value("hostname") is not null));
        if (commandLine.Value("dns") is { } servers)
            Try("write /etc/resolv.conf", () => Replace("/etc/resolv.conf", string.Concat(servers.Split(',').Select(server => $"nameserver {server}\n"))));
    }

    private static void Make(GuestFolder folder)
    {
        Directory.CreateDirectory(folder.Path);
        // The owner first: a change of owner takes the set-id bits away.
        if (LibC.ChangeOwner(folder.Path, folder.UserId, folder.GroupId) != 0)
            throw new IOException(LibC.LastError());
        File.SetUnixFileMode(folder.Path, (UnixFileMode)folder.Mode);
    }

    private static void WriteHosts(string hostName, bool isAsked)
    {
        const string Path = "/etc/hosts";
        if (isAsked || !File.Exists(Path) || new FileInfo(Path).Length == 0)
            Replace(Path, $"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t{hostName}\n");
    }

    // An image's file may be a link to where some other system's daemon would have written it.
    private static void Replace(string path, string content)
    {
        Directory.CreateDirectory("/etc");
        File.Delete(path);
        File.WriteAllText(path, content);
    }

    private static void Try(string what, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            GuestConsole.Say($"cannot {what}: {error.Message}");
        }
    }
}
