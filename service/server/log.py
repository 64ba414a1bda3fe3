"""Configures the log of a server process: each line has the same form, as text or as JSON."""

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

from service.inference.errors import escape
from service.server.log_writer import LogWriter, find_writer, open_writer

# They come with handlers and formats of their own.
_LIBRARIES = ("bentoml", "circus", "uvicorn", "uvicorn.access", "uvicorn.error")

_logger = logging.getLogger("lectern")


def configure_logging(log_format: str) -> None:
    """Write the log of all libraries to standard error, one line for each message.

    Every process of the server calls this when it starts. Warnings and exceptions that nothing catches become
    messages of the log, too. Threads write standard output and standard error, so that no caller waits for
    the reader of the log.

    Args:
        log_format: ``text`` for people or ``json`` for log collectors.
    """
    formatter = _json_formatter() if log_format == "json" else _TextFormatter()

    def describe_lost(count: int) -> str:
        return formatter.format(_lost_lines(count))

    open_writer(sys.stdout, describe_lost=describe_lost)
    handler = _LineHandler(open_writer(sys.stderr, describe_lost=describe_lost))
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.WARNING)
        library.propagate = True
    logging.getLogger("uvicorn.access").propagate = False  # The pipeline writes the access log.
    # It warns about bytes that a client sends; the client gets an error for them.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    # So does Pillow about a picture, once for each text, of which Python keeps all.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    _logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread_exception


def standard_output() -> Callable[[str], None]:
    """Return a function that writes a line to standard output: by the thread of :func:`configure_logging`."""
    writer = find_writer(sys.stdout)
    return _write_directly if writer is None else writer.write


def write_error(line: str) -> None:
    """Write a line that is no message to standard error, after the messages before it."""
    writer = find_writer(sys.stderr)
    write = sys.stderr.write if writer is None else writer.write
    write(line)


def _write_directly(line: str) -> None:
    with contextlib.suppress(OSError):  # the reader of the log may have closed it
        sys.stdout.write(line)
        sys.stdout.flush()


class _LineHandler(logging.Handler):
    """Passes each message on as a line.

    Args:
        writer: Writes the lines.
    """

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a message on; if it cannot be formatted, report that as the standard library does."""
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        self._writer.write(f"{line}\n", urgent=True)


def _lost_lines(count: int) -> logging.LogRecord:
    """Return the message that lines are lost."""
    message = "%d line%s of the log could not be written: the reader was too slow, or the disk was full"
    arguments = (count, "" if count == 1 else "s")
    return logging.LogRecord(_logger.name, logging.WARNING, __file__, 0, message, arguments, None)


class _TextFormatter(logging.Formatter):
    """Formats a message as a line of time, level, logger and text; a traceback follows, indented.

    Control characters are escaped, and no further line begins at the margin: the text of an error, which a
    client may have chosen, cannot forge a line.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time of a message in UTC, as in the access log."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line without a traceback."""
        return escape(super().formatMessage(record))

    def formatException(self, exc_info: object) -> str:
        """Return the lines of a traceback."""
        lines = super().formatException(exc_info).splitlines()  # type: ignore[arg-type]
        return "\n".join(f"    {escape(line)}" for line in lines)


def _json_formatter() -> JsonFormatter:
    return JsonFormatter(
        "{levelname}{name}{message}",
        style="{",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        timestamp="time",
    )


def _log_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _logger.critical("the process ends: %s", kind.__name__, exc_info=(kind, error, traceback))


def _log_thread_exception(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_type is SystemExit:  # Python ignores it, too.
        return
    name = failure.thread.name if failure.thread else "?"
    _logger.error("the thread %s ends", name, exc_info=failure.exc_value)


def _log_unraisable(failure: "sys.UnraisableHookArgs") -> None:
    _logger.error(
        "%s: %r", failure.err_msg or "exception ignored", failure.object, exc_info=failure.exc_value
    )
