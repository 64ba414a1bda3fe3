"""Owns everything between a socket and ``service.inference``: the BentoML service and its dialects."""
