"""Asking a server or this computer for predictions."""
