"""Owns the OpenAPI document: every route over HTTP, all it takes, all it may answer, and an example."""
