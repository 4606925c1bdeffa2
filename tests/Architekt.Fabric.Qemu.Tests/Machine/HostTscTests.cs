namespace Architekt.Fabric.Qemu.Tests.Machine;

public sealed class HostTscTests
{
    [Fact]
    public void Parse_ScaledCore_TrustsBogoMips() =>
        Assert.Equal(2096010, HostTsc.Parse(["processor\t: 0", "cpu MHz\t\t: 3712.456", "bogomips\t: 4192.02", "bogomips\t: 1.00"]));

    [Fact]
    public void Parse_OnlyMegahertz_UsesIt() => Assert.Equal(2096013, HostTsc.Parse(["cpu MHz\t\t: 2096.013"]));

    [Fact]
    public void Parse_NothingKnown_IsNull() => Assert.Null(HostTsc.Parse(["BogoMIPS\t: 50.00", "nonsense", "cpu MHz : 0"]));
}
