using System.CommandLine;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>What is to become of a VM that fails or whose host is lost, as options.</summary>
internal static class Policies
{
    private static readonly Dictionary<string, VmRestart> _restarts = Enum.GetValues<VmRestart>().ToDictionary(Of);
    private static readonly Dictionary<string, VmAvailability> _availabilities = Enum.GetValues<VmAvailability>().ToDictionary(Output.Words.Of);

    public static string Of(VmRestart restart) => restart == VmRestart.OnFailure ? "on-failure" : "never";

    public static Option<string?> Restart()
    {
        var option = new Option<string?>("--restart")
        {
            Description = "Whether to start it again after a fault: never or on-failure; default: never, or on-failure with --availability failover.",
            HelpName = "POLICY",
        };
        option.AcceptOnlyFromAmong([.. _restarts.Keys]);
        return option;
    }

    public static Option<string?> Availability()
    {
        var option = new Option<string?>("--availability")
        {
            Description = "When its host is lost: normal waits for it, failover starts it anew from its package on another host; default: normal.",
            HelpName = "KIND",
        };
        option.AcceptOnlyFromAmong([.. _availabilities.Keys]);
        return option;
    }

    public static (VmRestart Restart, VmAvailability Availability) Read(ParseResult parsed, Option<string?> restart, Option<string?> availability)
    {
        var kind = parsed.GetValue(availability) is { } wanted ? _availabilities[wanted] : VmAvailability.Normal;
        if (parsed.GetValue(restart) is { } policy) return (_restarts[policy], kind);
        return (kind == VmAvailability.Failover ? VmRestart.OnFailure : VmRestart.Never, kind);
    }
}
