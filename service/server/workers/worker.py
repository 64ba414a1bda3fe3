"""Runs one worker process: ``python -m service.server.workers.worker``, which the supervisor starts."""

import argparse
import signal
import socket

from service.server.workers import channel


def main() -> None:
    """Serve the models on a socket of the supervisor until it stops this worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listener", type=int, required=True, help="Descriptor of the listening socket.")
    parser.add_argument("--channel", type=int, required=True, help="Descriptor of the supervisor's socket.")
    parser.add_argument("--slot", type=int, required=True, help="Number of this worker, from 1.")
    parser.add_argument("--graceful-s", type=int, required=True, help="Seconds that requests may still run.")
    parser.add_argument("--is-restart", action="store_true", help="Count the start as a restart.")
    options = parser.parse_args()
    # uvicorn sends the signal that stopped it once more: no traceback then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A service manager may send it to all processes. The supervisor alone obeys it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # First of all, so that the supervisor knows that this process lives while it imports and loads.
    channel.connect(socket.socket(fileno=options.channel), is_restart=options.is_restart)
    _continue_counters(options.slot)
    _begin_to_load(is_restart=options.is_restart)
    _serve(options.slot, socket.socket(fileno=options.listener), graceful_s=options.graceful_s)


def _begin_to_load(*, is_restart: bool) -> None:
    """Begin to load the models, unless the settings are wrong; the service reports that."""
    from service.inference.errors import LecternError
    from service.server.execution import initial_models
    from service.server.log import configure_logging
    from service.settings import Settings

    try:
        settings = Settings.from_environment()
    except LecternError:
        return
    configure_logging(settings.log_format)  # the models write to the log
    initial_models.begin(settings, keep_downloads=is_restart)


def _serve(slot: int, listener: socket.socket, *, graceful_s: int) -> None:
    import bentoml
    import uvicorn

    bentoml.server_context.worker_index = slot
    from service.server.app import Lectern  # Replaces uvicorn's server.

    config = uvicorn.Config(
        Lectern.to_asgi(), log_config=None, server_header=False, timeout_graceful_shutdown=graceful_s
    )
    uvicorn.Server(config).run([listener])


def _continue_counters(slot: int) -> None:
    """Let prometheus-client name the files of the metrics after the slot instead of the process.

    A worker then continues the counters of the one that it replaces, and the number of files is bounded. Call
    this before the first metric is created.
    """
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: slot)


if __name__ == "__main__":
    main()
