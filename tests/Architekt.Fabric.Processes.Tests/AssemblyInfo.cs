using Xunit.Sdk;
using Xunit.v3;

// A child that another test is just starting holds whatever file is open for writing here, and such a file cannot be executed (execve(2), ETXTBSY).
[assembly: Parallelization(Mode = ParallelMode.None)]
