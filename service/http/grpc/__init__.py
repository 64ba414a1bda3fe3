"""Owns the Open Inference Protocol, version 2, over gRPC; imported only where a port is set for it."""
