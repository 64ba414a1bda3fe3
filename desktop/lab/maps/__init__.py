"""Colours, sheets and plots that the pages of the lab show values with."""
