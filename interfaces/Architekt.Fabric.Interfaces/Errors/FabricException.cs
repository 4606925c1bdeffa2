namespace Architekt.Fabric;

/// <summary>The one exception that crosses the fabric's boundaries: a sentence for people and a code for programs.</summary>
[GenerateSerializer]
[Alias("architekt.fabric-exception")]
public sealed class FabricException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">What kind of failure it is.</param>
    /// <param name="message">One sentence: what, where, why, what to do.</param>
    /// <param name="isTransient">Whether the same request may succeed later without anyone changing anything.</param>
    /// <param name="innerException">The cause, kept as <see cref="Cause"/>.</param>
    public FabricException(FabricErrorCode code, string message, bool isTransient = false, Exception? innerException = null)
        : base(message)
    {
        Cause = innerException;
        Code = code;
        IsTransient = isTransient;
    }

    /// <summary>What kind of failure it is.</summary>
    [Id(0)]
    public FabricErrorCode Code { get; private set; }

    /// <summary>Whether the same request may succeed later without anyone changing anything.</summary>
    [Id(1)]
    public bool IsTransient { get; private set; }

    /// <summary>
    /// What it was caused by, where it happened. It does not travel: a client has neither the type nor the right to know it, and an inner
    /// exception that cannot be serialized would take the whole answer with it.
    /// </summary>
    [field: NonSerialized]
    public Exception? Cause { get; }

    /// <inheritdoc />
    public override string ToString() => Cause is null ? base.ToString() : $"{base.ToString()}{Environment.NewLine} ---> {Cause}";

    /// <summary>A host, package, VM or operation that does not exist.</summary>
    public static FabricException NotFound(string message) => new(FabricErrorCode.NotFound, message);

    /// <summary>A request that the object's state does not allow.</summary>
    public static FabricException Conflict(string message) => new(FabricErrorCode.Conflict, message);

    /// <summary>A malformed request.</summary>
    public static FabricException Invalid(string message) => new(FabricErrorCode.InvalidArgument, message);

    /// <summary>Something that cannot be reached now.</summary>
    public static FabricException Unavailable(string message, Exception? cause = null) =>
        new(FabricErrorCode.Unavailable, message, isTransient: true, cause);

    /// <summary>An act for an epoch that is no longer the owner's.</summary>
    public static FabricException StaleEpoch(string message) => new(FabricErrorCode.StaleEpoch, message);
}
