"""What `python -m benchmarks.measures` checks: each file prints a table and returns what does not hold."""
