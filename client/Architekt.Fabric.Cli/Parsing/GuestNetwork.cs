using System.CommandLine;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>Options for the address of a guest. The gateway's is not called <c>--gateway</c>: that one leads into the fabric.</summary>
internal static class GuestNetwork
{
    public static Option<string?> Address() =>
        new("--ip") { Description = "IPv4 address and prefix length of the guest's network card, such as 10.0.0.5/24.", HelpName = "ADDRESS" };

    public static Option<string?> Gateway() =>
        new("--guest-gateway") { Description = "IPv4 address of the guest's default gateway; with --ip.", HelpName = "ADDRESS" };
}
