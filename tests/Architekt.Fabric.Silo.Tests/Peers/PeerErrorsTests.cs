using Architekt.Fabric.Peers;
using Architekt.Fabric.Silo.Peers;

namespace Architekt.Fabric.Silo.Tests.Peers;

public sealed class PeerErrorsTests
{
    [Theory]
    [InlineData("StaleEpoch", FabricErrorCode.StaleEpoch)]
    [InlineData("Conflict", FabricErrorCode.Conflict)]
    [InlineData("Refused", FabricErrorCode.Refused)]
    [InlineData("Failed", FabricErrorCode.Failed)]
    [InlineData("SomethingNew", FabricErrorCode.Internal)]
    [InlineData(null, FabricErrorCode.Internal)]
    public void ToFabric_Refusal_KeepsCodeAndSentence(string? code, FabricErrorCode expected)
    {
        var error = PeerErrors.ToFabric(new PeerCallException(code, "It is so."));

        Assert.Equal((expected, "It is so.", false), (error.Code, error.Message, error.IsTransient));
    }

    [Fact]
    public void ToFabric_NoAnswer_MayBeTriedAgain()
    {
        var error = PeerErrors.ToFabric(new PeerCallException(code: null, "Nobody is there.", isUnavailable: true));

        Assert.Equal((FabricErrorCode.Unavailable, true), (error.Code, error.IsTransient));
    }
}
