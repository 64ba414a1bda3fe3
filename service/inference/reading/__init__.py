"""Reads pictures of several digits: finds the digits, and puts them in reading order."""
