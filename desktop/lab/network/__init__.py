"""The page that shows all layers of a network while one draws."""
