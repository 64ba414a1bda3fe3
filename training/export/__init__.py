"""Exports trained networks: ONNX graph, calibration, explanation graph, 8-bit form, model folder."""
