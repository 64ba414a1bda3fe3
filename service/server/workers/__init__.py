"""Balances connections between the worker processes. Nothing but ``app`` depends on it."""
