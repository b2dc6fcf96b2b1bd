"""What an operation costs beside the least that could answer it: `python -m benchmarks`."""
