"""Trains the networks of the recipes, exports them to ONNX and evaluates them."""
