using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Every test has a QEMU of its own and the guests compute: side by side they would only wait for each other's processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
