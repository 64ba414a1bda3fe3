"""Remembers what is in the window until the next start."""
