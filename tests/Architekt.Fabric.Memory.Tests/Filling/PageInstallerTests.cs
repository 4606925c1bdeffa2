using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory.Tests;

public sealed class PageInstallerTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private readonly Guest _guest = Guest.Start(4096, lazy: true);
    private readonly PackageMemory _package;
    private readonly DirtyTracker _tracker;
    private readonly SafeFileHandle _userfault;
    private readonly FillMap _map;
    private readonly PageInstaller _installer;

    public PageInstallerTests()
    {
        _package = PackageMemory.Open(TestPackage.Create(_guest["package"], 4096, (0, 3000)));
        _tracker = _guest.Attach();
        using var process = Libc.OpenProcess(Libc.SystemCallPidfdOpen, _guest.Mapping.Pid, 0);
        _userfault = Libc.GetDescriptor(Libc.SystemCallPidfdGetDescriptor, process, _guest.Mapping.UserfaultDescriptor, 0);
        _map = new FillMap(_package.Data);
        _installer = new PageInstaller(_userfault, _guest.Mapping.Address, _package, _map);
    }

    public void Dispose()
    {
        _userfault.Dispose();
        _tracker.Dispose();
        _package.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Install_AfterTheFirst_AllocatesNothing()
    {
        Assert.Null(_installer.Install(0, _map.Claim(0, 1)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var block = 0; block < _map.Blocks; block++)
            _installer.Install(block, _map.Claim(block, _map.Unclaimed(block)));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(4096, _installer.Pages);
        Assert.Equal(4096 * Page, _guest.Memory.ResidentBytes);
    }

    [Fact]
    public void Restore_PageGivenBack_IsZerosAndCountsAsWritten()
    {
        Assert.Null(_installer.Install(0, _map.Claim(0, 0b11)));
        _guest.Memory.PunchHole(0, Page);
        Assert.Null(_installer.Restore(_guest.Mapping.Address));
        Assert.Null(_installer.Restore(_guest.Mapping.Address + Page));

        Assert.Equal("0", _guest.Ask("sum 0"));
        Assert.Equal(TestPackage.Sum(_package.Path, 1), _guest.Ask("sum 1"));
        var ranges = new List<PageRange>();
        _tracker.Collect(ranges);
        Assert.Equal([new PageRange(0, Page)], ranges);
    }
}
