using Architekt.Fabric.Silo.Reconciliation;

namespace Architekt.Fabric.Silo.Tests.Reconciliation;

public sealed class OrphanCommandLineTests
{
    private const string Runtime = "/dev/shm/architekt-host-a";

    [Fact]
    public void InstanceOf_PeerAndQemuOfThisHost_IsFound()
    {
        Assert.Equal(("redis", 3L), OrphanCommandLine.InstanceOf(["/opt/peer", "--folder", $"{Runtime}/redis.3", ""], Runtime));
        Assert.Equal(
            ("my-vm", 12L),
            OrphanCommandLine.InstanceOf(["qemu-system-x86_64", "-object", $"memory-backend-file,id=ram0,size=1,mem-path={Runtime}/my-vm.12/ram,share=on", ""], Runtime));
    }

    [Theory]
    [InlineData("/opt/peer", "--folder", "/dev/shm/architekt-host-b/redis.3")]
    [InlineData("/opt/peer", "--folder", "/dev/shm/architekt-host-a/redis")]
    [InlineData("/opt/peer", "--folder", "/dev/shm/architekt-host-a/a/redis.3")]
    [InlineData("tail", "-f", "/dev/shm/architekt-host-a/redis.3/peer.log")]
    [InlineData("qemu-system-x86_64", "-object", "memory-backend-file,id=ram0,mem-path=/dev/shm/architekt-host-ab/redis.3/ram")]
    public void InstanceOf_AnythingElse_IsNotOurs(params string[] arguments) => Assert.Null(OrphanCommandLine.InstanceOf(arguments, Runtime));
}
