namespace Architekt.Fabric.Demo.Load;

/// <summary>What became of a load.</summary>
/// <param name="AcknowledgedWrites">Writes the server acknowledged.</param>
/// <param name="LostWrites">Acknowledged writes that were not there in the end.</param>
/// <param name="ConnectionSurvived">One TCP connection carried all of it, and to one and the same server process.</param>
/// <param name="SocketsOpened">TCP connections that were opened.</param>
/// <param name="ConnectionsFailed">Connections that were lost.</param>
/// <param name="Connection">How the server named the connection in the beginning.</param>
/// <param name="ConnectionInTheEnd">How the server named it in the end.</param>
/// <param name="Failure">Why the load ended early, or null.</param>
/// <param name="All">Everything from the first acknowledgement to the last.</param>
internal sealed record LoadReport(
    long AcknowledgedWrites,
    long LostWrites,
    bool ConnectionSurvived,
    int SocketsOpened,
    int ConnectionsFailed,
    string Connection,
    string? ConnectionInTheEnd,
    string? Failure,
    GapReport All);
