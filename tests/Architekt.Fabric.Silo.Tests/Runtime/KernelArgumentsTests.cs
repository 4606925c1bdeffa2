using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Tests.Runtime;

public sealed class KernelArgumentsTests
{
    [Fact]
    public void Identify_ReplacesWhatWasSaidBefore()
    {
        Assert.Equal(
            "console=ttyS0 quiet architekt.hostname=web architekt.ip=10.0.0.5/24 architekt.gw=10.0.0.1",
            KernelArguments.Identify("console=ttyS0 architekt.ip=10.0.0.9/8 architekt.gw=10.0.0.2 architekt.hostname=old quiet", "web", "10.0.0.5/24", "10.0.0.1"));
        Assert.Equal("architekt.hostname=web architekt.ip=10.0.0.5/24", KernelArguments.Identify("", "web", "10.0.0.5/24", gateway: null));
    }

    [Theory]
    [InlineData("10.0.0.5", null)]
    [InlineData("10.0.0.5/0", null)]
    [InlineData("10.0.0.5/33", null)]
    [InlineData("10.5/24", null)]
    [InlineData("fe80::1/64", null)]
    [InlineData("10.0.0.5/24 init=/bin/sh", null)]
    [InlineData("10.0.0.5/24", "10.0.0")]
    [InlineData("10.0.0.5/24", "10.0.0.1 panic=0")]
    [InlineData(null, "10.0.0.1")]
    public void Require_WhatCannotBeAnAddress_IsInvalid(string? address, string? gateway)
    {
        var error = Assert.Throws<FabricException>(() => KernelArguments.Require(address, gateway));
        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }

    [Fact]
    public void Require_AnAddressOrNone_IsFine()
    {
        KernelArguments.Require("10.0.0.5/24", "10.0.0.1");
        KernelArguments.Require("10.0.0.5/24", null);
        KernelArguments.Require(null, null);
    }
}
