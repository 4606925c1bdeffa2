using System.Diagnostics;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests;

/// <summary>The daemon as a process, with options it cannot start with.</summary>
public sealed class ProgramTests
{
    [Theory]
    [InlineData("Fabric__HostName", "No Name", "Fabric:HostName 'No Name' is not a host name")]
    [InlineData("Fabric__AdvertisedAddress", "0.0.0.0", "is not an address other hosts can reach")]
    [InlineData("Fabric__SiloPort", "70000", "SiloPort must be between 1 and 65535")]
    [InlineData("Fabric__SiloPort", "many", "SiloPort")]
    [InlineData("Fabric__Accelerator", "xen", "Fabric:Accelerator must be 'kvm' or 'tcg'.")]
    [InlineData("Fabric__PeerPath", "/nowhere/peer", "Fabric:PeerPath '/nowhere/peer' does not exist")]
    [InlineData("Fabric__FaultGateFolder", "/nowhere", "Fabric:FaultGateFolder is for tests of the fabric only")]
    [InlineData("Fabric__QemuBinary", "/nowhere/qemu", "/nowhere/qemu")]
    public async Task Start_BadOption_Exits1WithOneLine(string name, string value, string expected)
    {
        using var host = new TestHost();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Architekt.Fabric.Silo.dll")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = host.Path,
        };
        start.Environment["Fabric__StateFolder"] = host["state"];
        start.Environment["Fabric__RuntimeFolder"] = host["run"];
        start.Environment["Fabric__PeerPath"] = FakePeer.Program;
        start.Environment["Fabric__Accelerator"] = "tcg";
        start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Deadline.After(60));
        var error = await process.StandardError.ReadToEndAsync(Deadline.After(60));
        await process.WaitForExitAsync(Deadline.After(60));

        Assert.Equal(1, process.ExitCode);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("architekt silo: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", await output, StringComparison.Ordinal);
    }
}
