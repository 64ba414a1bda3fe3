"""Runs one worker process of a server that lacks the mechanism which ``BENCH_WITHOUT`` names."""

from typing import Any

from service.server.workers import worker

_serve = worker._serve


def _serve_without(*arguments: Any, **options: Any) -> None:
    import mechanism_service  # noqa: F401  Patches the server, which is not built yet.

    _serve(*arguments, **options)


worker._serve = _serve_without

if __name__ == "__main__":
    worker.main()
