"""Converts networks to ONNX graphs, and changes graphs."""
