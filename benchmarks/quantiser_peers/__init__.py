"""What ``benchmarks/quantisers.py`` measures beside ours: other quantisers, each in an interpreter of its own."""
