using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Client;

/// <summary>How a <see cref="FabricClient"/> reaches its fabric.</summary>
public sealed class FabricClientOptions
{
    /// <summary>The gateway that is used when none is named: a silo on this machine, on Orleans' customary gateway port.</summary>
    public const string DefaultGateway = "127.0.0.1:30000";

    /// <summary>Port of a gateway that is named without one.</summary>
    public const int DefaultGatewayPort = 30000;

    /// <summary>Silos to enter the fabric through, as <c>host:port</c>; host is a name or an address, IPv6 in brackets. Empty means <see cref="DefaultGateway"/>.</summary>
    public IList<string> Gateways { get; } = [];

    /// <summary>The fabric's cluster id; must be the silos'.</summary>
    public string ClusterId { get; set; } = FabricNames.DefaultClusterId;

    /// <summary>How long to try to connect before the fabric counts as unreachable; more than zero, 5 seconds by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a single call may take; more than zero, 30 seconds by default. A call that exceeds it fails with <see cref="FabricErrorCode.Timeout"/>.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause before something is tried again, and between two looks at a VM that is waited for; more than zero, 200 ms by default.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a watch looks at the record although nothing has woken it; more than zero, 2 seconds by default.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a watch goes on while nothing in the fabric answers it; 2 minutes by default.</summary>
    public TimeSpan ReconnectTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Where the client logs to; null logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock of waits and retries.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(ClusterId)) throw FabricException.Invalid("The fabric client needs a cluster id.");
        RequirePositive(ConnectTimeout, nameof(ConnectTimeout));
        RequirePositive(CallTimeout, nameof(CallTimeout));
        RequirePositive(RetryDelay, nameof(RetryDelay));
        RequirePositive(PollInterval, nameof(PollInterval));
        RequirePositive(ReconnectTimeout, nameof(ReconnectTimeout));

        static void RequirePositive(TimeSpan value, string name)
        {
            if (value <= TimeSpan.Zero) throw FabricException.Invalid($"The fabric client's {name} must be more than zero.");
        }
    }
}
