using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Architekt.Fabric.Processes;

/// <summary>Runs a tool to its end and collects what it says.</summary>
/// <remarks>
/// Output counts as complete when every process that holds it has closed it, so a tool that leaves a daemon behind must be told to
/// redirect that daemon's output. Cancellation and timeout kill the tool with all its descendants that are still linked to it;
/// a descendant whose own parent has ended before cannot be found any more.
/// </remarks>
public static class Command
{
    private const int CannotExecute = 126;

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Runs a tool and returns how it ended, whatever its exit code.</summary>
    /// <exception cref="ToolMissingException">The tool is not installed.</exception>
    /// <exception cref="CommandFailedException">The tool is there but cannot be executed (exit code 126).</exception>
    /// <exception cref="TimeoutException"><see cref="CommandOptions.Timeout"/> has passed; the tool has been killed and has ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the tool has been killed and has ended.</exception>
    public static async Task<CommandResult> RunAsync(
        string file, IReadOnlyList<string> args, CommandOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        options ??= new CommandOptions();
        cancellationToken.ThrowIfCancellationRequested();

        using var process = Start(file, args, options);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.Timeout is { } timeout)
            limit.CancelAfter(timeout);

        var input = FeedAsync(process, options.StandardInput, limit.Token);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await Task.WhenAll(process.WaitForExitAsync(limit.Token), input, output, error).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await KillAsync(process).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException(
                $"`{ShellQuoting.Join(file, args)}` did not end within {options.Timeout!.Value.TotalSeconds:0.###} s and was killed.");
        }

        return new CommandResult(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    /// <summary>As <see cref="RunAsync"/>, but any exit code other than 0 is an exception.</summary>
    /// <exception cref="CommandFailedException">The exit code is not 0.</exception>
    /// <exception cref="ToolMissingException">The tool is not installed.</exception>
    /// <exception cref="TimeoutException"><see cref="CommandOptions.Timeout"/> has passed.</exception>
    public static async Task<CommandResult> RunCheckedAsync(
        string file, IReadOnlyList<string> args, CommandOptions? options = null, CancellationToken cancellationToken = default)
    {
        var result = await RunAsync(file, args, options, cancellationToken).ConfigureAwait(false);
        return result.Succeeded
            ? result
            : throw new CommandFailedException(ShellQuoting.Join(file, args), result.ExitCode, result.StandardError);
    }

    private static Process Start(string file, IReadOnlyList<string> args, CommandOptions options)
    {
        // Checked first because a missing folder and a missing tool are the same ENOENT afterwards.
        if (options.WorkingDirectory is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"`{ShellQuoting.Join(file, args)}` cannot run in '{folder}' because there is no such folder.");

        var start = new ProcessStartInfo(ExecutablePath.Require(file, options.DebianPackage), args)
        {
            WorkingDirectory = options.WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = _utf8,
            StandardOutputEncoding = _utf8,
            StandardErrorEncoding = _utf8,
        };
        foreach (var (name, value) in options.Environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new CommandFailedException(ShellQuoting.Join(file, args), CannotExecute, e.Message);
        }
    }

    private static async Task FeedAsync(Process process, string? text, CancellationToken cancellationToken)
    {
        try
        {
            if (text is not null)
                await process.StandardInput.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A tool may end without reading its input; its exit code says whether that was right.
        }
    }

    private static async Task KillAsync(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or AggregateException or Win32Exception)
        {
            // It ended by itself in the meantime, or a descendant did.
        }

        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
