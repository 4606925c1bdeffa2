using System.Text.RegularExpressions;

namespace Architekt.Fabric;

/// <summary>The rules for names, and the names that both ends of a wire must agree on.</summary>
public static partial class FabricNames
{
    /// <summary>Longest name of a host, package or VM, in characters: a DNS label (RFC 1123) less room for suffixes.</summary>
    public const int MaxNameLength = 40;

    /// <summary>What names of VMs begin with that live only for a package to be made of them; no other VM may have such a name, because the fabric removes these by it.</summary>
    public const string MakingPrefix = "making-";

    /// <summary>The Orleans stream provider that carries events to watchers.</summary>
    public const string EventStreamProvider = "fabric-events";

    /// <summary>The namespace of the stream all events go to.</summary>
    public const string EventStreamNamespace = "events";

    /// <summary>The key of the stream all events go to.</summary>
    public const string EventStreamKey = "all";

    /// <summary>The Orleans cluster every silo and client of one fabric joins unless told otherwise.</summary>
    public const string DefaultClusterId = "fabric";

    /// <summary>The Orleans service id; grain state is stored under it.</summary>
    public const string ServiceId = "architekt-fabric";

    /// <summary>Whether <paramref name="name"/> may name a host, package or VM: lower-case letters, digits and inner hyphens.</summary>
    public static bool IsValid(string? name) => name is { Length: > 0 and <= MaxNameLength } && NamePattern().IsMatch(name);

    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> unless <paramref name="name"/> may name a <paramref name="what"/>.</summary>
    public static string Require(string? name, string what) => IsValid(name)
        ? name!
        : throw FabricException.Invalid(
            $"'{name}' is not a name for a {what}: use 1 to {MaxNameLength} lower-case letters, digits and hyphens, with no hyphen at either end.");

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
