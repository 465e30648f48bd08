"""Benchmarks: this project and the ordinary way, side by side in one run."""
