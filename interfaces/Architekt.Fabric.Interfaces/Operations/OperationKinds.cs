namespace Architekt.Fabric;

/// <summary>The kinds of operations, as <see cref="OperationInfo.Kind"/> has them; stored, never renamed.</summary>
public static class OperationKinds
{
    /// <summary>A VM moves to another host.</summary>
    public const string Migrate = "migrate";

    /// <summary>A package is made of a VM.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>A host is emptied; each VM that leaves it is a migration of its own.</summary>
    public const string Drain = "drain";
}
