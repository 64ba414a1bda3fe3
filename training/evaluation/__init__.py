"""Measuring exported models."""
