using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// A guest takes a processor, and two make up most of the time; beside them goes a class that waits most of its own. More would only wait for each other's processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 3)]
