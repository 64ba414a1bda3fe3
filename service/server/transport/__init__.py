"""Thin adapters that pass requests from a wire protocol to the request pipeline."""
