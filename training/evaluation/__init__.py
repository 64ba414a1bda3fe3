"""Evaluates exported models."""
