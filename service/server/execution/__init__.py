"""Runs the networks: the engine, its two batchers and the latency profiles."""
