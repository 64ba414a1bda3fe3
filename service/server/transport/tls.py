"""Loads the server's TLS certificate, and loads it again when its files change."""

import asyncio
import gc
import logging
import ssl
from pathlib import Path
from typing import Any

from service.inference.errors import SettingsError
from service.inference.files import file_version, read_regular
from service.settings import Settings

_MAX_BYTES = 1_000_000  # of each file
# Of uvloop, and of asyncio on Linux and on Windows.
_TCP_TRANSPORTS = ("TCPTransport", "_SelectorSocketTransport", "_ProactorSocketTransport")

_logger = logging.getLogger("lectern")


class Certificate:
    """The certificate of the server with its key, in PEM files.

    Args:
        certificate: File with the certificate, followed by those of the authorities that signed it.
        key: File with the private key.

    Attributes:
        context: For new connections: TLS 1.2 or newer. It is replaced when the files change.
        pem: Content of the files: the certificate and the key. It is replaced too.

    Raises:
        SettingsError: The files cannot be used.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._versions = [file_version(path) for path in self._files]
        try:
            self._load()
        except OSError as error:
            raise SettingsError(
                f"LECTERN_TLS_CERT and LECTERN_TLS_KEY cannot be used: {_describe(error)}; name PEM files of "
                "a certificate and its key, without a password"
            ) from error

    @classmethod
    def from_settings(cls, settings: Settings) -> "Certificate | None":
        """Return the certificate that the settings name, if any.

        Raises:
            SettingsError: Its files cannot be used.
        """
        if settings.tls_cert is None or settings.tls_key is None:
            return None
        return cls(settings.tls_cert, settings.tls_key)

    def reload_if_changed(self) -> bool:
        """Load the files again if they have changed; a pair that does not fit is not used.

        Returns:
            Whether they were loaded.
        """
        versions = [file_version(path) for path in self._files]
        if versions == self._versions:
            return False
        self._versions = versions
        try:
            self._load()
        except OSError as error:
            _logger.error(
                "the changed TLS certificate cannot be used, the one before stays: %s", _describe(error)
            )
            return False
        _logger.info("the changed TLS certificate is used from now on")
        return True

    def _load(self) -> None:
        # A new context: one in use would keep the certificate before if the new key is of another type.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        certificate, key = self._files
        # Its errors name the file, OpenSSL's do not. OpenSSL would wait for a pipe.
        pem = read_regular(certificate, max_bytes=_MAX_BYTES), read_regular(key, max_bytes=_MAX_BYTES)
        # With a password, OpenSSL does not ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
        self.pem = pem
        self.context = context


def _describe(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "no reason given").replace("_", " ").lower()
        return f"OpenSSL refuses the certificate or the key ({reason})"
    return f"{error.filename}: {error.strerror}"


def transport_below_tls(transport: asyncio.Transport) -> asyncio.Transport | None:
    """Return the transport that sends what a transport of TLS has encrypted; None without TLS.

    All that a client does not read waits there, where the transport of TLS does not count it. asyncio has
    private attributes for it; uvloop has none, so that it is found among the objects that others refer to.
    Checked with uvloop 0.23 and Python 3.11; where it is not found, bytes that wait do not count.
    """
    if transport.get_extra_info("sslcontext") is None:
        return None
    holders: list[Any] = [getattr(transport, "_ssl_protocol", None), *gc.get_referents(transport)]
    protocol = next((one for one in holders if type(one).__name__ == "SSLProtocol"), None)
    kept: list[Any] = [getattr(protocol, "_transport", None), *gc.get_referents(protocol)]
    return next((one for one in kept if type(one).__name__.endswith(_TCP_TRANSPORTS)), None)
