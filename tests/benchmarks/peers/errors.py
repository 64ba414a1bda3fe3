"""The errors of the benchmarks."""


class BenchmarkError(Exception):
    """The benchmark cannot continue; the message names the thing, the cause and the way out."""


class PeerError(BenchmarkError):
    """One system cannot be built, started or trusted; the others are measured without it."""
