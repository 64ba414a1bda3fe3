"""Owns what can go wrong with a benchmark."""


class BenchError(Exception):
    """The benchmark cannot go on; its text names the thing, the cause and the way out."""


class PeerError(BenchError):
    """One system cannot be built, started or trusted; the others are measured without it."""
