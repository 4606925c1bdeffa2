using System.Collections.Concurrent;

namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>The stores of all hosts: which name or digest stands for what where.</summary>
internal sealed class FakePackages
{
    private readonly ConcurrentDictionary<(string Host, string Reference), PackageInfo> _packages = new();

    /// <summary>Offers that are served and not closed.</summary>
    public ConcurrentDictionary<string, string> Open { get; } = new();

    public PackageInfo Add(string host, string name, char digit)
    {
        var package = Samples.Package(host) with { Name = name, Digest = "sha256-" + new string(digit, 64) };
        foreach (var reference in new[] { name, package.Digest }) _packages[(host, reference)] = package;
        return package;
    }

    public PackageInfo? Find(string host, string reference) => _packages.GetValueOrDefault((host, reference));

    public void Remove(string host, string reference) => _packages.TryRemove((host, reference), out _);

    public PackageInfo Copy(string digest, string host, IReadOnlyList<string> names)
    {
        var package = _packages.Values.First(package => package.Digest == digest) with { Host = host, Name = names.Count > 0 ? names[0] : digest };
        foreach (var reference in names.Append(digest)) _packages[(host, reference)] = package;
        return package;
    }
}
