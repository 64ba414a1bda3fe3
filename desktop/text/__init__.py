"""The page for text."""
