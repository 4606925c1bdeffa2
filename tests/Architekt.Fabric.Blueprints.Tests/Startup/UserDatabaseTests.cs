using Architekt.Fabric.Blueprints.Startup;

namespace Architekt.Fabric.Blueprints.Tests.Startup;

public sealed class UserDatabaseTests
{
    private static readonly UserDatabase _users = new(
        "root:x:0:0:root:/root:/bin/sh\nredis:x:999:1000::/data:/bin/sh\n+broken\n42:x:7:8::/forty-two:/bin/sh\n",
        "root:x:0:\nredis:x:1000:\nssl:x:50:other,redis\nmine:x:1000:redis\n");

    [Theory]
    [InlineData(null, 0, 0, "", "/root")]
    [InlineData("", 0, 0, "", "/root")]
    [InlineData("redis", 999, 1000, "50", "/data")]
    [InlineData("999", 999, 1000, "50", "/data")]
    [InlineData("redis:ssl", 999, 50, "", "/data")]
    [InlineData("redis:77", 999, 77, "", "/data")]
    [InlineData("1234", 1234, 0, "", "/")]
    [InlineData("1234:5678", 1234, 5678, "", "/")]
    [InlineData("42", 7, 8, "", "/forty-two")]
    public void User_IsFoundAsContainerEnginesDo(string? specification, uint user, uint group, string groups, string home)
    {
        var found = _users.Find(specification);
        Assert.Equal((user, group, groups, home), (found.UserId, found.GroupId, string.Join(',', found.SupplementaryGroups), found.Home));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("redis:nobody")]
    public void UnknownNames_AreRefused(string specification) =>
        Assert.Equal(BlueprintErrorCode.Invalid, Assert.Throws<BlueprintException>(() => _users.Find(specification)).Code);

    [Theory]
    [InlineData(null, 15)]
    [InlineData("SIGQUIT", 3)]
    [InlineData("int", 2)]
    [InlineData("9", 9)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    public void StopSignal_IsReadByNameOrNumber(string? text, int signal) => Assert.Equal(signal, StopSignals.Parse(text));

    [Theory]
    [InlineData("SIGNOT")]
    [InlineData("65")]
    [InlineData("0")]
    [InlineData("RTMIN+x")]
    public void UnknownStopSignal_IsRefused(string text) => Assert.Throws<BlueprintException>(() => StopSignals.Parse(text));
}
