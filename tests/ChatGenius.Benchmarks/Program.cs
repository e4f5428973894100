using BenchmarkDotNet.Running;
using ChatGenius.Benchmarks;

if (args is ["batches", _, _, ..])
{
    await BatchComparison.RunAsync(args[1..]);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
