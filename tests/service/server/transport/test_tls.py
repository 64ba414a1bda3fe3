"""HTTP and gRPC with TLS: modern versions only, and a certificate that can be replaced at any time."""

import asyncio
import datetime
import http.client
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from service.inference.errors import SettingsError
from service.server.transport.tls import Certificate, transport_below_tls
from service.settings import Settings

x509 = pytest.importorskip("cryptography.x509")

Until = Callable[..., Any]

_CHECK = "/grpc.health.v1.Health/Check"


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself, and its key, as tools that renew them do."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lectern test")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    contents = {"cert.pem": certificate.public_bytes(pem), "key.pem": private}
    for file, content in contents.items():
        (folder / f"new-{file}").write_bytes(content)
    for file in contents:
        os.replace(folder / f"new-{file}", folder / file)
    return folder / "cert.pem", folder / "key.pem"


def test_http_and_grpc_use_the_certificate_and_its_replacement(
    start_server: Callable[..., Any], tmp_path: Path, digit_png: bytes, until: Until
) -> None:
    certificate, key = _write_certificate(tmp_path)
    with start_server(grpc=True, TLS_CERT=str(certificate), TLS_KEY=str(key)) as server:
        assert server.ask("POST", "/models/mnist", digit_png).status == 200
        assert server.ask("GET", "/livez").status == 200
        assert _check_grpc(server, certificate) == b"\x08\x01"
        _expect_modern_versions_only(server.port, certificate)
        before = certificate.read_bytes()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, timeout=30, context=ssl.create_default_context(cafile=certificate)
        )
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        _write_certificate(tmp_path)
        until(lambda: server.ask("GET", "/livez").status == 200)  # The client trusts the new file alone.
        assert certificate.read_bytes() != before
        until(lambda: _check_grpc(server, certificate) == b"\x08\x01")
        connection.request("GET", "/livez")  # An open connection goes on.
        assert connection.getresponse().read() == b"ok\n"
        connection.close()
        key.write_text("damaged")
        until(lambda: "the one before stays" in server.log())
        assert server.ask("GET", "/livez").status == 200
    assert "Traceback" not in server.log()


def test_clients_that_stay_silent_hold_no_stop_up(start_server: Callable[..., Any], tmp_path: Path) -> None:
    certificate, key = _write_certificate(tmp_path)
    context = ssl.create_default_context(cafile=certificate)
    with start_server(TLS_CERT=str(certificate), TLS_KEY=str(key), DRAIN_S="0") as server:
        address = ("127.0.0.1", server.port)
        with (
            socket.create_connection(address),  # never begins its handshake
            context.wrap_socket(socket.create_connection(address), server_hostname="127.0.0.1") as idle,
        ):
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            server.process.terminate()
            assert server.process.wait(20) == 0  # The client does not confirm the end of its connection.
    assert "Traceback" not in server.log()


def test_clients_that_stay_silent_keep_nobody_out(start_server: Callable[..., Any], tmp_path: Path) -> None:
    certificate, key = _write_certificate(tmp_path)
    with start_server(TLS_CERT=str(certificate), TLS_KEY=str(key)) as server, ExitStack() as stack:
        for _ in range(300):  # They never begin their handshakes.
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        assert server.ask("GET", "/livez").status == 200
    assert "Traceback" not in server.log()


def _check_grpc(server: Any, certificate: Path) -> bytes:
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    with grpc.secure_channel(server.grpc_address, credentials) as channel:
        try:
            answer: bytes = channel.unary_unary(_CHECK)(b"", timeout=10)
        except grpc.RpcError as error:
            return str(error).encode()
        return answer


def _expect_modern_versions_only(port: int, certificate: Path) -> None:
    _connect(port, certificate, ssl.TLSVersion.TLSv1_2)
    with (
        pytest.warns(DeprecationWarning, match="TLSv1_1"),
        pytest.raises(ssl.SSLError, match=r"protocol|EOF"),
    ):
        _connect(port, certificate, ssl.TLSVersion.TLSv1_1)


def _connect(port: int, certificate: Path, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=certificate)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # so that this client offers an old version at all
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        context.wrap_socket(connection, server_hostname="127.0.0.1").close()


def test_files_that_are_no_certificate_and_key_are_named(tmp_path: Path) -> None:
    certificate, key = _write_certificate(tmp_path)
    assert Certificate.from_settings(Settings()) is None
    for one, other in ((certificate, certificate), (tmp_path / "none", key), (key, certificate)):
        with pytest.raises(SettingsError, match="LECTERN_TLS_CERT and LECTERN_TLS_KEY"):
            Certificate(one, other)


def test_a_changed_certificate_gets_a_context_of_its_own(tmp_path: Path) -> None:
    certificate = Certificate(*_write_certificate(tmp_path))
    context, pem = certificate.context, certificate.pem
    assert not certificate.reload_if_changed()
    _write_certificate(tmp_path)
    assert certificate.reload_if_changed()
    assert certificate.context is not context
    assert certificate.pem != pem
    (tmp_path / "key.pem").write_text("damaged")
    context = certificate.context
    assert not certificate.reload_if_changed()
    assert certificate.context is context
    (tmp_path / "key.pem").unlink()
    os.mkfifo(tmp_path / "key.pem")  # OpenSSL would wait for a writer
    assert not certificate.reload_if_changed()
    assert certificate.context is context


@pytest.mark.parametrize(("name", "other"), [("CERT", "KEY"), ("KEY", "CERT")])
def test_a_certificate_and_its_key_are_set_together(name: str, other: str) -> None:
    with pytest.raises(SettingsError, match=f"LECTERN_TLS_{name} is set without LECTERN_TLS_{other}"):
        Settings.from_environment({f"LECTERN_TLS_{name}": "x.pem"})


def _send_unread(server: Any, certificate: Path, requests: bytes) -> ssl.SSLSocket:
    """Send requests over a new connection, whose client reads no response."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.connect(("127.0.0.1", server.port))
    context = ssl.create_default_context(cafile=certificate)
    connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
    connection.sendall(requests)
    return connection


def test_responses_that_are_not_read_take_little_memory_and_end_the_connection(
    start_server: Callable[..., Any], tmp_path: Path, until: Callable[..., Any]
) -> None:
    certificate, key = _write_certificate(tmp_path)
    request = b"GET /docs.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with start_server(TLS_CERT=str(certificate), TLS_KEY=str(key)) as server, ExitStack() as stack:
        worker = psutil.Process(server.workers()[0])
        connections = [_send_unread(server, certificate, b"") for _ in range(200)]
        before = worker.memory_info().rss
        for connection in connections:
            stack.enter_context(connection).sendall(request)
        until(lambda: server.metric("lectern_requests_total", route="/docs.json") >= 200)
        assert worker.memory_info().rss < before + 20_000_000
        stack.enter_context(_send_unread(server, certificate, request * 100))
        until(lambda: server.metric("lectern_slow_readers_total") == 1)


def test_the_transport_below_tls_of_asyncio_is_found(tmp_path: Path) -> None:
    certificate, key = _write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def connect() -> tuple[asyncio.Transport, asyncio.Transport | None]:
        accepted: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.transport)  # type: ignore[arg-type]

        async with await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            trusted = ssl.create_default_context(cafile=certificate)
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            transport = await accepted
            below = transport_below_tls(transport)
            writer.close()
            return transport, below

    transport, below = asyncio.run(connect())
    assert below is not None
    assert below is not transport
    assert isinstance(below, asyncio.Transport)
