using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class FabricConnectionTests
{
    [Fact]
    public void Create_ConnectionString_DerivesNamesPathsAndLimits()
    {
        var connection = new FabricConnection("Host=db;Port=6000;Username=u;Password=p;Database=d;Maximum Pool Size=77;Options=-c geqo=off");
        Assert.Equal(("db:6000", "d"), (connection.Endpoint, connection.Database));
        var fabric = new NpgsqlConnectionStringBuilder(connection.Fabric);
        var orleans = new NpgsqlConnectionStringBuilder(connection.Orleans);
        var commit = new NpgsqlConnectionStringBuilder(connection.Commit);
        Assert.Equal(("architekt-fabric", "fabric"), (fabric.ApplicationName, fabric.SearchPath));
        Assert.Equal(("architekt-orleans", "orleans"), (orleans.ApplicationName, orleans.SearchPath));
        Assert.Equal("architekt-commit", commit.ApplicationName);
        Assert.All([fabric, orleans, commit], one =>
        {
            Assert.Equal(("u", "p", "d"), (one.Username, one.Password, one.Database));
            Assert.InRange(one.MaxPoolSize, 1, 10);
            Assert.InRange(one.Timeout, 1, FabricConnection.OrleansConnectSeconds);
            Assert.Contains("geqo=off", one.Options, StringComparison.Ordinal);
            Assert.Contains("statement_timeout=", one.Options, StringComparison.Ordinal);
        });
        Assert.Contains("synchronous_commit=on", commit.Options, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Username=u")]
    [InlineData("Nonsense=1;Host=h;Password=hidden")]
    [InlineData("Host=h;Port=many")]
    public void Create_NoConnectionString_ThrowsInvalidWithoutThePassword(string text)
    {
        var thrown = Assert.Throws<FabricException>(() => new FabricConnection(text));
        Assert.Equal(FabricErrorCode.InvalidArgument, thrown.Code);
        Assert.DoesNotContain("hidden", thrown.Message, StringComparison.Ordinal);
    }
}
