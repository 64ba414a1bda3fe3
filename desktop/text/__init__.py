"""The page that classifies a text."""
