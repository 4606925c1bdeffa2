using System.Net.Sockets;
using System.Text.Json;

namespace Architekt.Fabric.Testing;

/// <summary>Asks the Docker daemon two questions without its command line: are you there, and do you have this image?</summary>
internal static class DockerDaemon
{
    // What Testcontainers 4.16 speaks unless told otherwise.
    private static readonly Version _spokenByTestcontainers = new(1, 44);

    /// <summary>Null if containers of <paramref name="image"/> can be run, otherwise why not.</summary>
    internal static async Task<string?> WhyNotAsync(string image, CancellationToken cancellationToken)
    {
        var host = Environment.GetEnvironmentVariable("DOCKER_HOST") ?? "unix:///var/run/docker.sock";
        try
        {
            using var client = CreateClient(new Uri(host));
            using var version = JsonDocument.Parse(await client.GetStringAsync("version", cancellationToken));
            var spoken = version.RootElement.GetProperty("ApiVersion").GetString()!;
            if (Version.Parse(spoken) < _spokenByTestcontainers)
                Environment.SetEnvironmentVariable("DOCKER_API_VERSION", spoken);

            using var answer = await client.GetAsync($"images/{image}/json", cancellationToken);
            return answer.IsSuccessStatusCode ? null : $"the Docker daemon has no image {image}: run compose/postgres/build-image.sh";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return $"no Docker daemon answers at {host}";
        }
    }

    private static HttpClient CreateClient(Uri host)
    {
        if (host.Scheme != "unix")
            return new HttpClient { BaseAddress = new UriBuilder(host) { Scheme = "http" }.Uri, Timeout = TimeSpan.FromSeconds(5) };

        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(host.AbsolutePath), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://docker/"), Timeout = TimeSpan.FromSeconds(5) };
    }
}
