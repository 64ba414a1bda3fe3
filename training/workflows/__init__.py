"""Runs the training commands from loading the data to the last line of output."""
