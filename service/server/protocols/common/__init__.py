"""Helpers that several protocols use."""
