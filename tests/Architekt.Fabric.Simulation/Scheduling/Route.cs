using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>A way for messages.</summary>
/// <param name="Latency">Shortest time under way, in µs; it is up to three times that.</param>
/// <param name="Timeout">How long the caller waits for an answer, in µs; 0: as long as it takes.</param>
/// <param name="Notice">How long it may take, in µs, until the caller hears that the other process has died.</param>
/// <param name="Broken">What the caller is told then, or when nobody is there.</param>
/// <param name="TimedOut">What the caller is told when nobody has answered in time.</param>
internal sealed record Route(long Latency, long Timeout, long Notice, Func<Point, Exception> Broken, Func<Point, Exception> TimedOut);
