"""The web pages that the server shows to people."""
