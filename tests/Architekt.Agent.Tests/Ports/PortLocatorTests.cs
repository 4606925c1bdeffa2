using Architekt.AgentProtocol;
using Architekt.GuestPorts;

namespace Architekt.Agent.Tests.Ports;

public sealed class PortLocatorTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("architekt-ports-").FullName;
    private readonly PortLocator _locator;

    public PortLocatorTests() => _locator = new PortLocator(Device(""), Path.Combine(_root, "sys"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Find_LinkByName_IsTaken()
    {
        Touch(Device("virtio-ports/" + AgentLimits.AgentPortName));

        Assert.Equal(Device("virtio-ports/" + AgentLimits.AgentPortName), _locator.Find(AgentLimits.AgentPortName));
    }

    [Fact]
    public void Find_NoLink_AsksTheKernelsList()
    {
        Touch(Device("vport1p1"));
        Touch(Device("vport1p2"));
        Touch(Path.Combine(_root, "sys/vport0p0/dev"));
        Touch(Path.Combine(_root, "sys/vport1p1/name"), "org.architekt.liveness\n");
        Touch(Path.Combine(_root, "sys/vport1p2/name"), "org.architekt.agent\n");

        Assert.Equal(Device("vport1p2"), _locator.Find(AgentLimits.AgentPortName));
    }

    [Fact]
    public void WaitFor_NoSuchPort_SaysWhereItLooked()
    {
        var error = Assert.Throws<GuestPortException>(() => _locator.WaitFor("org.nobody", TimeSpan.Zero));

        Assert.Contains("org.nobody", error.Message);
        Assert.Contains(Device("virtio-ports"), error.Message);
    }

    [Fact]
    public void WaitFor_PortThatComesLater_IsFound()
    {
        using var later = new Timer(_ => Touch(Device("virtio-ports/late")), null, TimeSpan.FromMilliseconds(150), Timeout.InfiniteTimeSpan);

        Assert.Equal(Device("virtio-ports/late"), _locator.WaitFor("late", TimeSpan.FromSeconds(30)));
    }

    private string Device(string path) => Path.Combine(_root, "dev", path);

    private static void Touch(string path, string content = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
