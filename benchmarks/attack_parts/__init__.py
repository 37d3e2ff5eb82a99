"""What the benchmarks of attacks, soaking and kills are made of: hostile files and visitors, figures from /proc, and positive controls."""
