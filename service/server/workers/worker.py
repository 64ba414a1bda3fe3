"""Runs one worker process: ``python -m service.server.workers.worker``, which the supervisor starts."""

import argparse
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
    # First of all, so that the supervisor knows that this process lives while it imports and loads.
    channel.connect(socket.socket(fileno=options.channel))
    _continue_counters(options.slot)
    from service.server import bentoml_adapter
    from service.server.pipeline import metrics

    if options.is_restart:
        metrics.worker_restarts.inc()
    bentoml_adapter.run_worker(options.listener, index=options.slot, graceful_s=options.graceful_s)


def _continue_counters(slot: int) -> None:
    """Let prometheus-client name the files of the metrics after the slot instead of the process.

    A worker then continues the counters of the one that it replaces, and the number of files is bounded. Call
    this before the first metric is created.
    """
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: slot)


if __name__ == "__main__":
    main()
