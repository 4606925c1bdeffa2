using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Database;

/// <summary>Who the server runs as: Postgres refuses root, so that then it is the user its package brings, otherwise ourselves.</summary>
internal sealed class ServerAccount
{
    private const string User = "postgres";

    private readonly bool _isOther;

    private ServerAccount(bool isOther) => _isOther = isOther;

    internal static async Task<ServerAccount> ChooseAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess) return new ServerAccount(isOther: false);
        var known = await Command.RunAsync("id", ["-u", User], cancellationToken: cancellationToken);
        return known.Succeeded
            ? new ServerAccount(isOther: true)
            : throw new FabricException(
                FabricErrorCode.Unsupported,
                $"A private Postgres cannot run as root and there is no user '{User}' for it; 'apt-get install postgresql' creates it.");
    }

    /// <summary>The command line that runs a program as that user; every part replaces itself by the next, so the process id stays.</summary>
    internal (string File, IReadOnlyList<string> Args) Wrap(string file, IReadOnlyList<string> args) => _isOther
        ? ("setpriv", ["--reuid", User, "--regid", User, "--init-groups", "--", file, .. args])
        : (file, args);

    internal Task RunAsync(string file, IReadOnlyList<string> args, CancellationToken cancellationToken)
    {
        var (wrapped, all) = Wrap(file, args);
        // From a folder the user may be in: initdb goes back to where it was started.
        return Command.RunCheckedAsync(wrapped, all, new CommandOptions { WorkingDirectory = "/", Timeout = TimeSpan.FromMinutes(2) }, cancellationToken);
    }

    internal Task CreateFolderAsync(string folder, CancellationToken cancellationToken) =>
        Command.RunCheckedAsync("install", ["-d", "-m", "0700", .. Owner("-o", "-g"), folder], cancellationToken: cancellationToken);

    internal async Task WriteSecretAsync(string file, string text, CancellationToken cancellationToken)
    {
        await AtomicFile.WriteAsync(file, text, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellationToken);
        if (_isOther)
            await Command.RunCheckedAsync("chown", [$"{User}:{User}", file], cancellationToken: cancellationToken);
    }

    private string[] Owner(string user, string group) => _isOther ? [user, User, group, User] : [];
}
