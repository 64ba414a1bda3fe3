"""The page that classifies a folder of pictures."""
