namespace Architekt.Fabric.Grains;

/// <summary>What has to be done next in a migration.</summary>
public enum MigrationAct
{
    /// <summary>Ask both hosts whether it can work.</summary>
    Check = 0,

    /// <summary>Have the destination start a paused QEMU.</summary>
    Prepare = 1,

    /// <summary>Copy until what is left fits the pause budget.</summary>
    Copy = 2,

    /// <summary>Ask the guest agent to get ready.</summary>
    Suspend = 3,

    /// <summary>Stop the source, hand everything over, have it loaded.</summary>
    Switch = 4,

    /// <summary>Make the destination the owner.</summary>
    Commit = 5,

    /// <summary>Let the destination run.</summary>
    Run = 6,

    /// <summary>Remove the source.</summary>
    Clean = 7,

    /// <summary>Give the reservation back, which also tells what became of an unknown commit.</summary>
    Withdraw = 8,

    /// <summary>Let the source go on and remove the destination.</summary>
    RollBack = 9,

    /// <summary>Record the outcome.</summary>
    End = 10,
}
