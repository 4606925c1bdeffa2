namespace Architekt.Fabric;

/// <summary>Whether the fabric starts a VM again that has ended through a fault.</summary>
public enum VmRestart
{
    /// <summary>It stays as it is until somebody starts it.</summary>
    Never = 0,

    /// <summary>It is started again, with a new epoch: from its disk where that is, else from its package. One that shut down or was stopped is not.</summary>
    OnFailure = 1,
}
