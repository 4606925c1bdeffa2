namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>What becomes of a message.</summary>
/// <param name="LosesRequest">It never arrives.</param>
/// <param name="LosesAnswer">It is carried out, and its answer never arrives.</param>
/// <param name="RequestDelay">How late it arrives, in µs.</param>
/// <param name="AnswerDelay">How late its answer arrives, in µs.</param>
internal readonly record struct Fate(bool LosesRequest, bool LosesAnswer, long RequestDelay, long AnswerDelay);
