using System.Text.Json;
using System.Text.Json.Serialization;

namespace Architekt.Fabric.Network;

/// <summary>One interface as `ip -j -d link` and `ip -j addr` show it; only what we read.</summary>
internal sealed record IpLink
{
    [JsonPropertyName("ifname")]
    public string? Name { get; init; }

    [JsonPropertyName("ifalias")]
    public string? Alias { get; init; }

    [JsonPropertyName("master")]
    public string? Master { get; init; }

    [JsonPropertyName("address")]
    public string? Address { get; init; }

    [JsonPropertyName("linkinfo")]
    public IpLinkInfo? Info { get; init; }

    [JsonPropertyName("addr_info")]
    public IReadOnlyList<IpAddressInfo>? Addresses { get; init; }

    [JsonIgnore]
    public bool IsBridge => Info?.Kind == "bridge";

    internal static async Task<IReadOnlyList<IpLink>> ListAsync(IIpCommand ip, CancellationToken cancellationToken)
        => Read(await ip.RunAsync(["-j", "-d", "link", "show"], cancellationToken).ConfigureAwait(false));

    internal static IReadOnlyList<IpLink> Read(string json)
    {
        // `ip` writes nothing at all for an empty answer, and empty objects for what its own filter left out.
        var links = string.IsNullOrWhiteSpace(json) ? [] : JsonSerializer.Deserialize(json, IpJson.Default.IReadOnlyListIpLink) ?? [];
        return [.. links.Where(link => link.Name is not null)];
    }
}

internal sealed record IpLinkInfo
{
    [JsonPropertyName("info_kind")]
    public string? Kind { get; init; }
}

internal sealed record IpAddressInfo
{
    [JsonPropertyName("local")]
    public string? Local { get; init; }

    [JsonPropertyName("prefixlen")]
    public int PrefixLength { get; init; }

    [JsonPropertyName("scope")]
    public string? Scope { get; init; }
}

[JsonSerializable(typeof(IReadOnlyList<IpLink>))]
internal sealed partial class IpJson : JsonSerializerContext;
