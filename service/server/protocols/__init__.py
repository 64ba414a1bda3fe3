"""The inference protocols of the server."""
