using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Tests.Runtime;

public sealed class QemuMachinesTests
{
    [Theory]
    [InlineData("q35", "7.2.22", "7.2")]
    [InlineData("q35", "10.0.0", "10.0")]
    [InlineData("microvm", "7.2.22", null)]
    [InlineData("q35", "unknown", null)]
    public void VersionOf_IsThatOfTheMachineType(string machineType, string qemu, string? expected) =>
        Assert.Equal(expected, QemuMachines.VersionOf(machineType, qemu));

    [Theory]
    [InlineData("q35", "7.2.22", "7.2.22", null)]
    [InlineData("q35", "7.2.22", "9.1.0", null)]
    [InlineData("q35", "7.2.22", "7.2.20", "the older 7.2.20")]
    [InlineData("q35", "9.1.0", "7.2.22", "the older 7.2.22")]
    [InlineData("microvm", "7.2.20", "7.2.22", null)]
    [InlineData("microvm", "7.2.22", "9.1.0", "9.1.0, whose microvm is another machine")]
    [InlineData("microvm", "9.1.0", "7.2.22", "the older 7.2.22")]
    public void Refusal_SaysWhatIsWrongWithTheHosts(string machineType, string qemu, string host, string? expected) =>
        Assert.Equal(expected, QemuMachines.Refusal(machineType, qemu, Version.Parse(host)));
}
