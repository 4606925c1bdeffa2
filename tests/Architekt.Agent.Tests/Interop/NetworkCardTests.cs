using System.Text;
using Architekt.Agent.Interop;

namespace Architekt.Agent.Tests.Interop;

public sealed class NetworkCardTests
{
    private const string Header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n";
    private const string Link = "eth0\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0                                                                               \n";
    private const string Other = "eth1\t00000000\t0200A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0                                                                               \n";
    private const string Default = "eth0\t00000000\t01004D0A\t0003\t0\t0\t0\t00000000\t0\t0\t0                                                                               \n";
    private const string NoGateway = "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0                                                                               \n";

    [Theory]
    [InlineData("", null)]
    [InlineData(Header, null)]
    [InlineData(Header + Link, null)]
    [InlineData(Header + Other + Link, null)]
    [InlineData(Header + NoGateway, null)]
    [InlineData(Header + Other + Link + Default, "10.77.0.1")]
    [InlineData(Header + Default + Link, "10.77.0.1")]
    public void FindDefaultGateway_OfTheKernelsTable_IsThatOfTheCard(string table, string? gateway)
    {
        var found = NetworkCard.FindDefaultGateway(Encoding.ASCII.GetBytes(table), "eth0");

        Assert.Equal(gateway, found is null ? null : string.Join('.', found));
    }

    [Fact]
    public void FindDefaultGateway_NameIsTheBeginningOfAnother_IsNotTaken() =>
        Assert.Null(NetworkCard.FindDefaultGateway(Encoding.ASCII.GetBytes(Header + Default), "eth"));
}
