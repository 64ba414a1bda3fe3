"""Owns the Open Inference Protocol, version 2, over HTTP: metadata, health, and tensors in JSON or binary."""
