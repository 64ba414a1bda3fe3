"""From a finished run to a model folder: ONNX graph, calibration, quantisation."""
