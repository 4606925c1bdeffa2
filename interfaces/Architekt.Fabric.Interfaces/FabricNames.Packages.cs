using System.Text.RegularExpressions;

namespace Architekt.Fabric;

/// <content>What packages are called: a name with a tag if wanted, or a digest.</content>
public static partial class FabricNames
{
    /// <summary>Longest name of a package, and longest tag, in characters; as in the host's store.</summary>
    public const int MaxPackageNameLength = 63;

    private const string DigestPrefix = "sha256-";

    /// <summary>Whether <paramref name="name"/> may name a package: <c>redis</c>, <c>redis-7.2</c>, <c>redis:7.2</c>.</summary>
    public static bool IsPackageName(string? name) =>
        name is not null && PackageNamePattern().IsMatch(name) && !name.StartsWith(DigestPrefix, StringComparison.Ordinal) && !name.StartsWith("sha256:", StringComparison.Ordinal);

    /// <summary>Whether <paramref name="digest"/> is a whole digest: <c>sha256-</c> and 64 hexadecimal digits.</summary>
    public static bool IsPackageDigest(string? digest) => digest is not null && DigestPattern().IsMatch(digest);

    /// <summary>Whether <paramref name="reference"/> may stand for a package: its name, its digest, or the beginning of its digest.</summary>
    public static bool IsPackageReference(string? reference) => IsPackageName(reference) || (reference is not null && DigestStartPattern().IsMatch(reference));

    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> unless <paramref name="name"/> may name a package.</summary>
    public static string RequirePackageName(string? name) => IsPackageName(name) ? name! : throw FabricException.Invalid(PackageNameProblem(name));

    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> unless <paramref name="reference"/> may stand for a package.</summary>
    public static string RequirePackageReference(string? reference) =>
        IsPackageReference(reference) ? reference! : throw FabricException.Invalid(PackageReferenceProblem(reference));

    /// <summary>The sentence for what is not a name of a package.</summary>
    public static string PackageNameProblem(string? name) =>
        $"'{name}' is not a name for a package: use 1 to {MaxPackageNameLength} lower-case letters, digits, '.', '_' and hyphens, beginning with a letter or digit, and then, if wanted, ':' and a tag.";

    /// <summary>The sentence for what cannot stand for a package.</summary>
    public static string PackageReferenceProblem(string? reference) =>
        $"'{reference}' is neither a name for a package (lower-case letters, digits, '.', '_' and hyphens, then ':' and a tag if wanted) nor a digest nor at least 6 of its first digits.";

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}(:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex PackageNamePattern();

    [GeneratedRegex(@"\Asha256-[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestPattern();

    [GeneratedRegex(@"\A(sha256[-:])?[0-9a-f]{6,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestStartPattern();
}
