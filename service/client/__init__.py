"""Python SDK: a synchronous and an asyncio client of a Lectern server.

Example:
    >>> from service.client import Client
    >>> with Client("http://127.0.0.1:3000") as client:
    ...     client.predict("mnist", Path("seven.png").read_bytes()).best.label
    '7'
"""

from service.client.answers import ModelSummary
from service.client.calls import Inputs
from service.client.clients import AsyncClient, Client
from service.client.errors import ClientError, ConnectionFailed, RequestRefused, UnexpectedAnswer
from service.client.transport import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, DEFAULT_URL

__all__ = [
    "DEFAULT_RETRIES",
    "DEFAULT_TIMEOUT_S",
    "DEFAULT_URL",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "Inputs",
    "ModelSummary",
    "RequestRefused",
    "UnexpectedAnswer",
]
