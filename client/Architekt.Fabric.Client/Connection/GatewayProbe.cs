using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Client.Connection;

/// <summary>
/// Finds a gateway that accepts connections. Orleans' own connect tries gateways one after another and for long;
/// asking all at once tells within milliseconds when nobody listens.
/// </summary>
internal static class GatewayProbe
{
    /// <summary>Returns the endpoints of all gateways, those that answered first; throws when none does.</summary>
    public static async Task<IReadOnlyList<IPEndPoint>> FindAsync(
        IReadOnlyList<GatewayAddress> gateways, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        var resolved = new List<IPEndPoint>();
        var failures = new List<string>();
        var attempts = gateways.Select(gateway => TryAsync(gateway, resolved, deadline.Token)).ToList();
        while (attempts.Count > 0)
        {
            var attempt = await Task.WhenAny(attempts).ConfigureAwait(false);
            attempts.Remove(attempt);
            var (endpoint, failure) = await attempt.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (endpoint is null)
            {
                failures.Add(failure!);
                continue;
            }

            await deadline.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(attempts).ConfigureAwait(false);
            lock (resolved) return [endpoint, .. resolved.Where(other => !other.Equals(endpoint))];
        }

        throw FabricException.Unavailable(
            $"The fabric cannot be reached: {string.Join(", ", failures)}. Check that a silo runs there and that the address is right.");
    }

    private static async Task<(IPEndPoint? Endpoint, string? Failure)> TryAsync(
        GatewayAddress gateway, List<IPEndPoint> resolved, CancellationToken cancellationToken)
    {
        var failure = "";
        try
        {
            foreach (var address in await Dns.GetHostAddressesAsync(gateway.Host, cancellationToken).ConfigureAwait(false))
            {
                var endpoint = new IPEndPoint(address, gateway.Port);
                lock (resolved) resolved.Add(endpoint);
                try
                {
                    using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
                    return (endpoint, null);
                }
                catch (SocketException error)
                {
                    failure = Reason(error);
                }
            }
        }
        catch (SocketException error)
        {
            failure = Reason(error);
        }
        catch (OperationCanceledException)
        {
            failure = "no answer";
        }

        return (null, $"{gateway} ({(failure.Length == 0 ? "no address" : failure)})");
    }

    private static string Reason(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.HostNotFound or SocketError.NoData => "no such host",
        SocketError.TryAgain => "its name cannot be resolved now",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route to it",
        SocketError.TimedOut => "no answer",
        var code => code.ToString(),
    };
}
