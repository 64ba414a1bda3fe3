"""Supervises the worker processes, and balances connections between them.

Only ``serving`` and ``app`` depend on it.
"""
