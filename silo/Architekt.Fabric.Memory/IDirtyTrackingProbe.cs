namespace Architekt.Fabric.Memory;

/// <summary>Answers whether this host can track guest writes. An interface, so that a test can answer in place of the kernel.</summary>
public interface IDirtyTrackingProbe
{
    /// <summary>Asks. Cheap enough to ask each time.</summary>
    DirtyTrackingSupport Probe();
}
