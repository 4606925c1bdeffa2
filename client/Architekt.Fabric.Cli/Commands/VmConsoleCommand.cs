using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

internal static class VmConsoleCommand
{
    // Ctrl-], as in telnet and virsh.
    private const byte Escape = 0x1d;
    private const int BacklogBytes = 2048;

    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        return cli.Bind(
            new Command("console", "Attaches to a VM's serial console, also across moves. Ctrl-] detaches.") { name },
            async context =>
            {
                if (context.IsJson) throw FabricException.Invalid("A console has no JSON form; use: fabric vm logs --follow -o json");
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var vm = await client.GetVmAsync(context.Parsed.GetRequiredValue(name), context.Token).ConfigureAwait(false);
                if (vm.State is VmState.Stopped or VmState.Failed)
                {
                    throw FabricException.Conflict(
                        $"VM '{vm.Name}' is {Output.Words.Of(vm.State)} and has no console; see what it printed with: fabric vm logs {vm.Name}");
                }

                await AttachAsync(context, client.AttachConsole(vm.Name)).ConfigureAwait(false);
                return ExitCode.Ok;
            });
    }

    private static async Task AttachAsync(CommandContext context, VmConsole console)
    {
        using var raw = context.Host.EnterRawMode();
        if (raw is not null) context.Note($"Attached to '{console.Vm}'. Press Ctrl-] to detach.\r");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.Token);
        var printing = PrintAsync(context.Host.OutStream, console, ending.Token);
        var typing = TypeAsync(context.Host.InStream, console, isTerminal: raw is not null, ending.Token);
        var first = await Task.WhenAny(printing, typing).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        try
        {
            await first.ConfigureAwait(false);
            // A read of the terminal cannot be taken back, so only the printing is waited for.
            await printing.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Detached.
        }
    }

    private static async Task PrintAsync(Stream output, VmConsole console, CancellationToken cancellationToken)
    {
        await foreach (var piece in console.ReadAsync(BacklogBytes, cancellationToken).ConfigureAwait(false))
        {
            output.Write(piece.Span);
            output.Flush();
        }
    }

    private static async Task TypeAsync(Stream input, VmConsole console, bool isTerminal, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var count = await input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                // The end of a pipe or file: what the guest answers is still wanted, until Ctrl-C.
                await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(false);
            }

            var typed = buffer.AsMemory(0, count);
            var escape = isTerminal ? typed.Span.IndexOf(Escape) : -1;
            if (escape >= 0) typed = typed[..escape];
            if (typed.Length > 0) await console.WriteAsync(typed, cancellationToken).ConfigureAwait(false);
            if (escape >= 0) return;
        }
    }
}
