namespace Architekt.Fabric.PackageTransfer;

/// <summary>How a package is pulled.</summary>
public sealed record PackagePullOptions
{
    /// <summary>Connections for each entry that is large enough for several, and stretches pulled at a time; 1 to 16.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>The source counts as lost when it is silent for this long while it should answer.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Clock behind the time limits.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
