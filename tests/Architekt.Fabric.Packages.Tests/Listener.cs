namespace Architekt.Fabric.Packages.Tests;

/// <summary>Hears of progress where and when it is made.</summary>
internal sealed class Listener(Action<PackageProgress> heard) : IProgress<PackageProgress>
{
    public void Report(PackageProgress value) => heard(value);
}
