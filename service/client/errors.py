"""Defines the errors of the clients."""

from service.inference.errors import LecternError


class ClientError(LecternError):
    """Base class of the client's errors."""

    code = "client_error"


class ConnectionFailed(ClientError):
    """The connection was refused or closed, or the timeout passed."""

    code = "connection_failed"


class UnexpectedAnswer(ClientError):
    """The response does not come from a Lectern server."""

    code = "unexpected_answer"


class RequestRefused(ClientError):
    """The server returned an error response.

    Attributes:
        status: HTTP status.
        code: Lectern's error code, such as ``blank_image``.
        request_id: Id of the request in the server's log.
    """

    def __init__(self, message: str, *, status: int, code: str, request_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
