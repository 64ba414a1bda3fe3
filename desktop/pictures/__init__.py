"""The page of picture files, and conversions between image types."""
