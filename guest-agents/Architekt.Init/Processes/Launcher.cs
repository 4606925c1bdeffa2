using System.Globalization;
using System.Runtime.InteropServices;
using Architekt.Init.Interop;

namespace Architekt.Init.Processes;

/// <summary>
/// Becomes another program: <c>architekt-init exec UID GID GROUPS FOLDER PROGRAM ARGUMENT...</c>. A managed process cannot fork, and posix_spawn(3) can
/// neither change the user nor the folder, so the first process starts itself anew, and that process does it to itself.
/// </summary>
internal static class Launcher
{
    internal const string Verb = "exec";

    internal const string Self = "/proc/self/exe";

    internal const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    // As a shell has it (POSIX, Shell Command Language, 2.8.2).
    internal const int CannotExecute = 126;
    internal const int NotFound = 127;

    private const int FixedArguments = 5;
    private const int FileMask = 0x12;

    // What systemd gives its services: low enough for programs that walk through all descriptors or use select(2), raised by those that need more.
    private const ulong OpenFiles = 1024;
    private const ulong MostOpenFiles = 524_288;

    internal static string[] ArgumentsFor(ProgramStart program) =>
        ["architekt-init", Verb, $"{program.UserId}", $"{program.GroupId}", string.Join(',', program.SupplementaryGroups), program.WorkingDirectory,
         .. program.Command];

    /// <summary>Returns only when it did not work.</summary>
    /// <param name="arguments">What follows the verb.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(string[] arguments)
    {
        if (arguments.Length < FixedArguments || !TryParse(arguments, out var user, out var group, out var groups))
        {
            GuestConsole.Say("exec needs a user's number, a group's, further groups', a folder and a program");
            return CannotExecute;
        }

        // The runtime ignores SIGPIPE and raises the limit of open files, and both would outlive exec.
        _ = LibC.SetSignalAction(LibC.SignalPipe, LibC.SignalDefault);
        _ = LibC.SetLimit(LibC.LimitOpenFiles, new LibC.ResourceLimit(OpenFiles, MostOpenFiles));
        _ = LibC.SetFileMask(FileMask);
        _ = LibC.NewSession();
        var command = arguments[(FixedArguments - 1)..];
        if (LibC.SetGroups(groups.Length, groups) != 0 || LibC.SetGroup(group) != 0 || LibC.SetUser(user) != 0)
            return Fail(command[0], $"cannot become user {user}:{group}", CannotExecute);
        if (LibC.ChangeFolder(arguments[3]) != 0)
            return Fail(command[0], $"cannot enter {arguments[3]}", CannotExecute);
        return Execute(command);
    }

    private static bool TryParse(string[] arguments, out uint user, out uint group, out uint[] groups)
    {
        group = 0;
        groups = [];
        if (!TryParse(arguments[0], out user) || !TryParse(arguments[1], out group))
            return false;
        var words = arguments[2].Split(',', StringSplitOptions.RemoveEmptyEntries);
        groups = new uint[words.Length];
        for (var index = 0; index < words.Length; index++)
        {
            if (!TryParse(words[index], out groups[index]))
                return false;
        }

        return true;
    }

    private static bool TryParse(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int Execute(string[] command)
    {
        var variables = Environment.GetEnvironmentVariables();
        var environment = new string?[variables.Count + 1];
        var index = 0;
        foreach (System.Collections.DictionaryEntry variable in variables)
            environment[index++] = $"{variable.Key}={variable.Value}";

        var program = command[0];
        string[] candidates = program.Contains('/')
            ? [program]
            : [.. (Environment.GetEnvironmentVariable("PATH") ?? DefaultPath).Split(':').Select(folder => $"{(folder.Length == 0 ? "." : folder)}/{program}")];
        var worst = LibC.NoEntry;
        foreach (var candidate in candidates)
        {
            _ = LibC.Execute(candidate, [.. command, null], environment);
            var error = Marshal.GetLastPInvokeError();
            if (error is LibC.NoEntry or LibC.NotAFolder)
                continue;
            worst = error;
            // As execvp(3): what may not be run here may be run from the next folder.
            if (error != LibC.PermissionDenied)
                break;
        }

        Marshal.SetLastPInvokeError(worst);
        return Fail(program, "cannot execute it", worst == LibC.NoEntry ? NotFound : CannotExecute);
    }

    private static int Fail(string program, string what, int code)
    {
        GuestConsole.Say($"{program}: {what}: {LibC.LastError()}");
        return code;
    }
}
