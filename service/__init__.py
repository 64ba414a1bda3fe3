"""Lectern's service: from an ONNX file to a prediction, in process and over HTTP."""
