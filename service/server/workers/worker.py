"""Runs one worker process: ``python -m service.server.workers.worker``, which the supervisor starts.

It runs what BentoML runs in its own worker processes, which sets the context, the log and the server up.
Checked with the release of BentoML in ``bentoml_adapter.CHECKED_RELEASES``.
"""

import argparse
import importlib
import signal
import socket

from service.server.workers import channel


def main() -> None:
    """Serve the models on a socket of the supervisor until it stops this worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", help="What BentoML serves, as MODULE:NAME.")
    parser.add_argument("--listener", type=int, required=True, help="Descriptor of the listening socket.")
    parser.add_argument("--channel", type=int, required=True, help="Descriptor of the supervisor's socket.")
    parser.add_argument("--slot", type=int, required=True, help="Number of this worker, from 1.")
    parser.add_argument("--graceful-s", type=int, required=True, help="Seconds that requests may still run.")
    parser.add_argument("--is-restart", action="store_true", help="Count the start as a restart.")
    options = parser.parse_args()
    # uvicorn sends the signal that stopped it once more: no traceback then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # First of all, so that the supervisor knows that this process lives while it imports and loads.
    channel.connect(socket.socket(fileno=options.channel), is_restart=options.is_restart)
    _continue_counters(options.slot)
    try:
        worker = importlib.import_module("_bentoml_impl.worker.service")
    except ModuleNotFoundError:
        _serve(options.service, options.listener, graceful_s=options.graceful_s)
        return
    # No module with a logger may be imported before: BentoML disables the loggers that exist when it sets its
    # own up.
    words = [options.service, "--fd", str(options.listener), "--worker-id", str(options.slot)]
    words += ["--timeout-graceful-shutdown", str(options.graceful_s)]
    worker.main(words, standalone_mode=False)


def _serve(path: str, listener: int, *, graceful_s: int) -> None:
    """Serve with the public names of BentoML and uvicorn alone; the log then has another form."""
    import uvicorn

    module, _, name = path.partition(":")
    service = getattr(importlib.import_module(module), name)
    config = uvicorn.Config(
        service.to_asgi(), log_config=None, server_header=False, timeout_graceful_shutdown=graceful_s
    )
    uvicorn.Server(config).run([socket.socket(fileno=listener)])


def _continue_counters(slot: int) -> None:
    """Let prometheus-client name the files of the metrics after the slot instead of the process.

    A worker then continues the counters of the one that it replaces, and the number of files is bounded. Call
    this before the first metric is created.
    """
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: slot)


if __name__ == "__main__":
    main()
