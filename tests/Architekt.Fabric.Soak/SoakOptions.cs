using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Architekt.Fabric.Faults;

namespace Architekt.Fabric.Soak;

/// <summary>What this program is told by compose/soak.sh, which prepared the hosts.</summary>
/// <param name="Fabric">Where hosts, Postgres and packages are.</param>
/// <param name="Network">First three numbers of the hosts' network; guest n has the address 50 + n.</param>
/// <param name="Hosts">How many hosts there are.</param>
/// <param name="Guests">How many VMs move about.</param>
/// <param name="Duration">How long they do.</param>
/// <param name="Seed">Of the random choices. The machine's timing is not repeated by it.</param>
/// <param name="Harm">What is done on purpose, and must be reported.</param>
internal sealed record SoakOptions(FaultOptions Fabric, string Network, int Hosts, int Guests, TimeSpan Duration, int Seed, Harm Harm)
{
    public const string Usage = "RUN_FOLDER LOG_FOLDER NAMESPACE_PREFIX GATEWAYS POSTGRES GUEST_FOLDER NETWORK HOSTS GUESTS SECONDS SEED HARM";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out SoakOptions? options)
    {
        options = null;
        if (args is not [var run, var logs, var prefix, var gateways, var postgres, var guest, var network, .. var rest, var harm] || rest.Length != 4) return false;
        var numbers = new int[rest.Length];
        for (var index = 0; index < rest.Length; index++)
        {
            if (!int.TryParse(rest[index], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[index])) return false;
        }

        if (numbers is not [>= 2 and <= 9, >= 1 and <= 40, >= 1, _]) return false;
        if (!Enum.TryParse<Harm>(harm.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var asked) || !Enum.IsDefined(asked)) return false;
        var fabric = new FaultOptions(run, logs, prefix, gateways.Split(','), postgres, guest, GuestAddress: "", Cells: []);
        options = new SoakOptions(fabric, network, numbers[0], numbers[1], TimeSpan.FromSeconds(numbers[2]), numbers[3], asked);
        return true;
    }
}
