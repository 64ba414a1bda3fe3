"""The inference protocols that the server speaks."""
