using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Runner;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Runs a package on this machine. Needs no fabric.</summary>
internal static class RunCommand
{
    private const string PeerVariable = "FABRIC_PEER";

    public static Command Create(CommandRunner cli)
    {
        var package = new Argument<string>("PACKAGE") { Description = "An .ark archive, or a folder with a manifest.json and its entries." };
        var forwards = Forwards();
        var console = new Option<bool>("--console") { Description = "Attach to the serial console; Ctrl-] leaves it." };
        var fresh = new Option<bool>("--fresh") { Description = "Start over from the package and forget what was suspended." };
        var remove = new Option<bool>("--rm") { Description = "Keep nothing: Ctrl-C ends the machine instead of suspending it." };
        var name = MachineName();
        var state = new Option<string?>("--state") { Description = "Folder for suspended machines; default: architekt/runner in $XDG_STATE_HOME, ~/.local/state or, for root, /var/lib.", HelpName = "FOLDER" };
        var fill = FillModes.Option("When the RAM of a machine that resumes is brought in besides what the guest touches: none, idle or now.");
        var accelerator = new Option<string?>("--accelerator") { Description = "kvm or tcg, for a machine that boots; default: kvm where it works.", HelpName = "NAME" };
        accelerator.AcceptOnlyFromAmong("kvm", "tcg");
        var peer = new Option<string?>("--peer") { Description = $"The peer's executable; default: {PeerVariable}, or peer/architekt-peer beside this command.", HelpName = "FILE" };
        return cli.Bind(
            new Command("run", "Runs a package on this machine, without a fabric, until Ctrl-C suspends it; running it again goes on from there.")
            {
                package, forwards, console, fresh, remove, name, state, fill, accelerator, peer,
            },
            async context =>
            {
                var parsed = context.Parsed;
                if (context.IsJson && parsed.GetValue(console)) throw FabricException.Invalid("A console has no JSON form; leave out --console or -o json.");
                var options = new RunnerOptions
                {
                    Package = parsed.GetRequiredValue(package),
                    PeerPath = parsed.GetValue(peer) ?? NotEmpty(context.Host.Environment(PeerVariable)) ?? Path.Combine(AppContext.BaseDirectory, "peer", "architekt-peer"),
                    Name = parsed.GetValue(name),
                    StateFolder = parsed.GetValue(state) ?? RunnerOptions.DefaultStateFolder(context.Host.Environment),
                    Fresh = parsed.GetValue(fresh),
                    Remove = parsed.GetValue(remove),
                    Fill = parsed.GetRequiredValue(fill),
                    Forwards = parsed.GetValue(forwards) ?? [],
                    Accelerator = parsed.GetValue(accelerator),
                };
                try
                {
                    return await PackageErrors.TranslateAsync(() => new RunSession(context, options, parsed.GetValue(console)).RunAsync()).ConfigureAwait(false);
                }
                catch (RunnerException error)
                {
                    throw RunnerErrors.ToFabric(error);
                }
            });
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static Option<string?> MachineName()
    {
        var option = new Option<string?>("--name") { Description = "Name of the machine, which its state is kept under; default: the package's.", HelpName = "NAME" };
        option.Validators.Add(parsed =>
        {
            if (parsed.Tokens.Count > 0 && !RunnerOptions.IsName(parsed.Tokens[0].Value)) parsed.AddError(RunnerOptions.NameProblem(parsed.Tokens[0].Value));
        });
        return option;
    }

    private static Option<PortForward[]?> Forwards() => new("--port", "-p")
    {
        Description = $"Leads a port of this machine to one of the guest; repeatable. Without ADDRESS it listens on {PortForward.DefaultAddress}.",
        HelpName = "[ADDRESS:]HOSTPORT:GUESTPORT[/udp]",
        CustomParser = result =>
        {
            var forwards = new List<PortForward>();
            foreach (var token in result.Tokens)
            {
                if (!PortForward.TryParse(token.Value, out var forward))
                    result.AddError($"'{token.Value}' is not a forward for --port: write HOSTPORT:GUESTPORT or ADDRESS:HOSTPORT:GUESTPORT, with /udp if it is that, such as 8080:80 or 0.0.0.0:5353:53/udp.");
                else if (forwards.Any(other => (other.Protocol, other.HostAddress, other.HostPort) == (forward.Protocol, forward.HostAddress, forward.HostPort)))
                    result.AddError($"'{token.Value}' leads a port to a second place: each --port needs a port of its own.");
                else
                    forwards.Add(forward);
            }

            return [.. forwards];
        },
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };
}
