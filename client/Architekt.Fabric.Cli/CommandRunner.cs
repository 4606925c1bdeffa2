using System.CommandLine;
using Architekt.Fabric.Cli.Hosting;

namespace Architekt.Fabric.Cli;

/// <summary>Runs a command's body and turns whatever comes out of it into an exit code.</summary>
internal sealed class CommandRunner(CliHost host)
{
    public CliHost Host => host;

    public GlobalOptions Options { get; } = new();

    /// <summary>Gives a command its body.</summary>
    public Command Bind(Command command, Func<CommandContext, Task<ExitCode>> body)
    {
        command.SetAction(async (parsed, cancellationToken) => (int)await RunAsync(parsed, body, cancellationToken).ConfigureAwait(false));
        return command;
    }

    private async Task<ExitCode> RunAsync(ParseResult parsed, Func<CommandContext, Task<ExitCode>> body, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.Interrupts.Token);
        await using var context = new CommandContext(host, parsed, Options, ending.Token);
        try
        {
            return await body(context).ConfigureAwait(false);
        }
        catch (FabricException error)
        {
            return context.Report(error);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return context.Report(new FabricException(FabricErrorCode.Cancelled, "Interrupted."));
        }
        catch (IOException error)
        {
            // Most often 'fabric ... | head': the reader has seen enough, and there is nobody to tell.
            return error.InnerException is System.ComponentModel.Win32Exception { NativeErrorCode: 32 }
                ? ExitCode.Failed
                : context.Report(new FabricException(FabricErrorCode.Failed, error.Message, isTransient: false, error));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return context.Report(new FabricException(
                FabricErrorCode.Internal,
                $"The command itself failed ({error.GetType().Name}: {error.Message}); set FABRIC_DEBUG=1 to see where.",
                isTransient: false,
                error));
        }
    }
}
