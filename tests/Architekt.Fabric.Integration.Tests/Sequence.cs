// There is one fabric with two hosts, and guests that want whole processors.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
