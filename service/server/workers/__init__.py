"""Sharing connections among the worker processes."""
