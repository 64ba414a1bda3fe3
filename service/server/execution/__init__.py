"""Running predictions: the engine, its batchers and latency profiles."""
