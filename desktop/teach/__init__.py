"""The page that teaches the last layer of a network from a few examples."""
