"""The page that classifies all images of a folder."""
