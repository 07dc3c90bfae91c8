"""What the benchmarks share: figures, measuring in child processes, the report, and made input."""
