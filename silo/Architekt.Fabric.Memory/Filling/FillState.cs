namespace Architekt.Fabric.Memory;

/// <summary>How far a <see cref="LazyFill"/> has come.</summary>
public enum FillState
{
    /// <summary>Pages of the package are missing.</summary>
    Filling,

    /// <summary>All of the package is there, and the guest no longer needs anybody to serve it.</summary>
    Complete,

    /// <summary>Some page could not be brought. Those that can be brought still are when the guest touches them; a thread that touches another waits for good.</summary>
    Failed,
}
