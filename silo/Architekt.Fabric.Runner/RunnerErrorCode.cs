namespace Architekt.Fabric.Runner;

/// <summary>Why a machine could not be run, suspended or ended.</summary>
public enum RunnerErrorCode
{
    /// <summary>What was asked for cannot be, whatever the state of things.</summary>
    Invalid,

    /// <summary>The machine is being run already, its state is of another package, or a port is taken.</summary>
    Conflict,

    /// <summary>The guest did not want to be suspended.</summary>
    Refused,

    /// <summary>This machine lacks something: a program, a right, a feature.</summary>
    Unsupported,

    /// <summary>There is no room for the guest's RAM.</summary>
    NoCapacity,

    /// <summary>It was tried and failed.</summary>
    Failed,
}
