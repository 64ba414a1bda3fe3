"""Lectern's training: data sets, recipes, training, evaluation and export to ONNX."""
