// Each class has a fabric of its own with two hosts, all at the same addresses, and guests that want whole processors.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
