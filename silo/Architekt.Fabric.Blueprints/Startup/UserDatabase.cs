using System.Globalization;

namespace Architekt.Fabric.Blueprints.Startup;

/// <summary>The image's users and groups: passwd(5) and group(5).</summary>
internal sealed class UserDatabase
{
    private const int UserFields = 6;
    private const int GroupFields = 3;

    private readonly IReadOnlyList<string[]> _users;
    private readonly IReadOnlyList<string[]> _groups;

    /// <param name="passwd">The content of /etc/passwd; empty when there is none.</param>
    /// <param name="group">The content of /etc/group; empty when there is none.</param>
    internal UserDatabase(string passwd, string group)
    {
        _users = Lines(passwd, UserFields);
        _groups = Lines(group, GroupFields);
    }

    /// <summary>Looks a user up as container engines do (image-spec, config.md, "User").</summary>
    /// <param name="specification">User and, after a colon, group, each as a name or a number; null or empty for root.</param>
    /// <exception cref="BlueprintException">The image has no such user or group.</exception>
    internal GuestUser Find(string? specification)
    {
        var parts = (specification ?? "").Split(':', 2);
        var name = parts[0].Length == 0 ? "0" : parts[0];
        var entry = _users.FirstOrDefault(user => user[0] == name);
        var isNumber = TryParse(name, out var userId);
        if (entry is null && isNumber)
            entry = _users.FirstOrDefault(user => TryParse(user[2], out var id) && id == userId);
        if (entry is not null)
        {
            if (!TryParse(entry[2], out userId))
                throw new BlueprintException(BlueprintErrorCode.Invalid, $"The image's /etc/passwd gives the user '{entry[0]}' no number.");
        }
        else if (!isNumber)
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"The image has no user '{name}' in its /etc/passwd; give another user, or a number.");

        var home = entry?[5] is { Length: > 0 } folder ? folder : "/";
        if (parts.Length == 2)
            return new GuestUser(userId, FindGroup(parts[1]), [], home);
        var groupId = entry is not null && TryParse(entry[3], out var own) ? own : 0;
        var others = entry is null ? [] : _groups
            .Where(group => group.Length > 3 && group[3].Split(',').Contains(entry[0]))
            .Select(group => TryParse(group[2], out var id) ? (uint?)id : null)
            .OfType<uint>();
        return new GuestUser(userId, groupId, [.. others.Where(id => id != groupId).Distinct()], home);
    }

    private uint FindGroup(string name)
    {
        if (_groups.FirstOrDefault(group => group[0] == name) is { } entry && TryParse(entry[2], out var id))
            return id;
        return TryParse(name, out id)
            ? id
            : throw new BlueprintException(BlueprintErrorCode.Invalid, $"The image has no group '{name}' in its /etc/group; give another group, or a number.");
    }

    private static List<string[]> Lines(string text, int fields) =>
        [.. text.Split('\n').Select(line => line.TrimEnd('\r').Split(':')).Where(line => line.Length >= fields)];

    private static bool TryParse(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
