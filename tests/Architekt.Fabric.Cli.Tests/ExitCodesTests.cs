using Architekt.Fabric.Cli.Tests.Fakes;

namespace Architekt.Fabric.Cli.Tests;

public sealed class ExitCodesTests
{
    public static TheoryData<FabricErrorCode, int> Codes => new()
    {
        { FabricErrorCode.Internal, 1 },
        { FabricErrorCode.InvalidArgument, 2 },
        { FabricErrorCode.NotFound, 3 },
        { FabricErrorCode.AlreadyExists, 4 },
        { FabricErrorCode.Conflict, 4 },
        { FabricErrorCode.Refused, 4 },
        { FabricErrorCode.NoCapacity, 4 },
        { FabricErrorCode.Unsupported, 4 },
        { FabricErrorCode.Timeout, 5 },
        { FabricErrorCode.Cancelled, 7 },
        { FabricErrorCode.Unavailable, 6 },
        { FabricErrorCode.Failed, 1 },
        { FabricErrorCode.StaleEpoch, 4 },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task AnyCommand_FabricSaysNo_ExitsWithTheCode(FabricErrorCode code, int exitCode)
    {
        using var cli = new TestCli();
        cli.Fabric.Fault = new FabricException(code, "It says no.");

        Assert.Equal(exitCode, (int)await cli.RunAsync("vm", "list"));
        Assert.Equal(("", "fabric: It says no.\n"), (cli.Out, cli.Error));
    }

    [Fact]
    public void Codes_OfAllErrors_AreTested() =>
        Assert.Equal(Enum.GetValues<FabricErrorCode>().Order(), Codes.Select(row => row.Data.Item1).Order());

    [Theory]
    [InlineData(null, OperationOutcome.Failed, 1)]
    [InlineData(FabricErrorCode.Failed, OperationOutcome.Failed, 1)]
    [InlineData(FabricErrorCode.Unavailable, OperationOutcome.Failed, 1)]
    [InlineData(FabricErrorCode.Refused, OperationOutcome.Failed, 4)]
    [InlineData(FabricErrorCode.Timeout, OperationOutcome.Failed, 5)]
    [InlineData(FabricErrorCode.NotFound, OperationOutcome.Failed, 3)]
    [InlineData(FabricErrorCode.Cancelled, OperationOutcome.Cancelled, 7)]
    [InlineData(null, OperationOutcome.Cancelled, 7)]
    public void Of_MigrationThatFailed_IsTheReasons(FabricErrorCode? code, OperationOutcome outcome, int exitCode) =>
        Assert.Equal(exitCode, (int)ExitCodes.Of(Samples.Failure(code, outcome)));
}
