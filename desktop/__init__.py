"""Lectern's desktop app: classifies drawings, pictures and texts live."""
