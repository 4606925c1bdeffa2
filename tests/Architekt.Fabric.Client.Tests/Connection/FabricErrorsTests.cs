using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Tests.Connection;

public sealed class FabricErrorsTests
{
    public static TheoryData<Exception, FabricErrorCode, bool> Errors => new()
    {
        { new TimeoutException("30 s"), FabricErrorCode.Timeout, true },
        { new SiloUnavailableException("gone"), FabricErrorCode.Unavailable, true },
        { new GatewayTooBusyException("busy"), FabricErrorCode.Unavailable, true },
        { new EnumerationAbortedException("moved"), FabricErrorCode.Unavailable, true },
        { new OrleansException("odd"), FabricErrorCode.Unavailable, true },
        { new OperationCanceledException("not ours"), FabricErrorCode.Unavailable, true },
        { new InvalidOperationException("a bug"), FabricErrorCode.Internal, false },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Translate_Exception_GivesCode(Exception error, FabricErrorCode code, bool isTransient)
    {
        var translated = FabricErrors.Translate(error, "host-a:30000", TimeSpan.FromSeconds(30));

        Assert.Equal((code, isTransient), (translated.Code, translated.IsTransient));
        Assert.Same(error, translated.Cause);
    }

    [Fact]
    public void Translate_FabricException_IsKept()
    {
        var error = FabricException.Conflict("Busy.");

        Assert.Same(error, FabricErrors.Translate(error, "host-a:30000", TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Translate_MessageOfManyLines_KeepsTheFirst()
    {
        var translated = FabricErrors.Translate(new SiloUnavailableException("First.\nSecond."), "host-a:30000", TimeSpan.FromSeconds(30));

        Assert.Equal("The fabric at host-a:30000 cannot be reached now: First.", translated.Message);
    }
}
