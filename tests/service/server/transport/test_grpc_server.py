"""The gRPC server: shared by workers, drained as HTTP is, with reflection, and off by default."""

import asyncio
import signal
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc import StatusCode
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.grpc import service_pb2

from service.server.transport import grpc_server
from service.settings import Settings

StartServer = Callable[..., Any]
Until = Callable[..., Any]

_ROOT = Path(__file__).resolve().parents[4]
_SERVICE = "/inference.GRPCInferenceService/"
_CHECK = "/grpc.health.v1.Health/Check"
# Each channel has a connection of its own.
_OWN = [("grpc.use_local_subchannel_pool", 1)]


def test_after_sigterm_calls_are_answered_for_a_while_but_health_checks_say_no(
    start_server: StartServer, digit_request: Any, until: Until
) -> None:
    body, release = digit_request.SerializeToString(), threading.Event()

    def held() -> Iterator[bytes]:
        release.wait(20)
        yield body

    with (
        start_server(grpc=True, DRAIN_S="3") as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        infer, check = channel.stream_unary(_SERVICE + "ModelInfer"), channel.unary_unary(_CHECK)
        in_flight = infer.future(held())
        assert check(b"") == b"\x08\x01"
        server.process.send_signal(signal.SIGTERM)
        until(lambda: check(b"") == b"\x08\x02")
        assert service_pb2.ModelInferResponse.FromString(infer(iter([body]))).model_name == "mnist"
        assert channel.unary_unary(_SERVICE + "ServerReady")(b"") == b""  # false is not written out
        assert channel.unary_unary(_SERVICE + "ServerLive")(b"") == b"\x08\x01"
        # Only once no new call is taken does the one in flight get its message.
        until(lambda: _is_closed(server.grpc_port))
        release.set()
        assert service_pb2.ModelInferResponse.FromString(in_flight.result()).model_name == "mnist"
        assert server.process.wait(15) == 0
    assert "Traceback" not in server.log()


def _is_closed(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _listeners(port: int) -> set[int | None]:
    """Return the processes that listen on a port."""
    return {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }


def test_two_workers_share_the_port(start_server: StartServer, digit_request: Any, until: Until) -> None:
    body = digit_request.SerializeToString()
    with start_server(grpc=True, WORKERS="2") as server:
        workers = until(lambda: len(pids := server.workers()) == 2 and pids)
        until(lambda: _listeners(server.grpc_port) == set(workers))
        for _ in range(20):
            with grpc.insecure_channel(server.grpc_address) as channel:
                assert channel.unary_unary(_SERVICE + "ModelInfer")(body)
        # A worker hands its numbers over a moment later.
        labels = {"route": f"{_SERVICE}ModelInfer", "model": "mnist", "status": "200"}
        until(lambda: server.metric("lectern_requests_total", **labels) == 20)


def test_many_calls_that_send_nothing_hold_no_health_check_up(server: Any) -> None:
    release = threading.Event()

    def silent() -> Iterator[bytes]:
        release.wait(20)
        yield b""

    with grpc.insecure_channel(server.grpc_address) as channel:
        metadata = channel.stream_unary(_SERVICE + "ServerMetadata")
        calls = [metadata.future(silent()) for _ in range(200)]
        try:
            assert channel.unary_unary(_CHECK)(b"", timeout=15) == b"\x08\x01"
        finally:
            for call in calls:
                call.cancel()
            release.set()


@pytest.mark.parametrize(
    "path",
    [
        _SERVICE + "ModelInfer",
        _SERVICE + "ServerMetadata",
        _CHECK,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_silent_calls_of_many_connections_that_come_again_hold_nobody_up(
    server: Any, digit_request: Any, path: str
) -> None:
    async def stay_silent(channel: grpc.aio.Channel, done: asyncio.Event) -> None:
        while not done.is_set():
            with suppress(grpc.RpcError, asyncio.CancelledError):
                await channel.stream_stream(path)().read()
            await asyncio.sleep(1)  # the clients of the attack run in this process, too

    async def run() -> list[float]:
        loop, done, seconds = asyncio.get_running_loop(), asyncio.Event(), []
        body = digit_request.SerializeToString()
        async with AsyncExitStack() as stack:
            attack, other = [
                [
                    await stack.enter_async_context(grpc.aio.insecure_channel(server.grpc_address, _OWN))
                    for _ in range(count)
                ]
                for count in (5, 1)
            ]
            silent = [
                asyncio.create_task(stay_silent(channel, done)) for channel in attack for _ in range(250)
            ]
            await asyncio.sleep(1)
            end = loop.time() + 4
            while loop.time() < end:
                started = loop.time()
                assert await other[0].unary_unary(_CHECK)(b"", timeout=15) == b"\x08\x01"
                assert await other[0].unary_unary(_SERVICE + "ModelInfer")(body, timeout=15)
                assert (await asyncio.to_thread(server.ask, "GET", "/livez")).status == 200
                seconds.append(loop.time() - started)
            done.set()
        await asyncio.wait(silent)  # Their channels are closed.
        return seconds

    seconds = asyncio.run(run())
    assert statistics.median(seconds) < 1.5  # of three requests, on a machine that does other things, too


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2; RFC 9113, 4.1."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _call(stream: int, path: str) -> bytes:
    """Return the frames of a call with an empty message, its fields as literals; RFC 7541, 6.2.2."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
    fields |= {"content-type": "application/grpc", "te": "trailers"}
    texts = (text.encode() for field in fields.items() for text in field)
    coded = [bytes([len(text)]) + text for text in texts]
    block = b"".join(b"\0" + name + value for name, value in zip(coded[::2], coded[1::2], strict=True))
    return _frame(1, 0x4, stream, block) + _frame(0, 0x1, stream, bytes(5))


def _stalled_calls(port: int, count: int) -> socket.socket:
    """Send calls whose responses the client never allows the server to send."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    no_window = (4).to_bytes(2) + (0).to_bytes(4)
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, no_window) + _frame(4, 1, 0, b"")
    data += b"".join(_call(2 * number + 1, f"{_SERVICE}ServerMetadata") for number in range(count))
    connection.sendall(data)
    return connection


def test_calls_whose_responses_are_not_read_hold_nobody_up(
    server: Any, digit_request: Any, until: Until
) -> None:
    route = {"route": f"{_SERVICE}ServerMetadata"}
    before = server.metric("lectern_requests_total", **route)
    with _stalled_calls(server.grpc_port, 2_000), grpc.insecure_channel(server.grpc_address) as channel:
        until(lambda: server.metric("lectern_requests_total", **route) > before + 50)
        assert channel.unary_unary(_CHECK)(b"", timeout=15) == b"\x08\x01"
        assert channel.unary_unary(_SERVICE + "ModelInfer")(digit_request.SerializeToString(), timeout=15)


def test_a_connection_whose_responses_are_not_read_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_server, "_MAX_AGE_MS", 300)

    async def answer(requests: Any, context: Any) -> bytes:
        await context.read()
        return b"a response"

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            return grpc.stream_unary_rpc_method_handler(answer)

    async def run() -> None:
        options = grpc_server._options(Settings(timeout_s=0.2), 10**6, shares_port=False)
        server = grpc.aio.server(handlers=[Handler()], options=options)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        with _stalled_calls(port, 1) as connection:
            connection.setblocking(False)
            async with asyncio.timeout(60):
                while await asyncio.get_running_loop().sock_recv(connection, 1_000):
                    pass
        await server.stop(0)

    asyncio.run(run())


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_reflection_lists_the_services_and_their_messages(server: Any, compression: grpc.Compression) -> None:
    with grpc.insecure_channel(server.grpc_address, compression=compression) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = {"inference.GRPCInferenceService", "grpc.health.v1.Health"}
        assert services < set(database.get_services())
        pool = DescriptorPool(database)
        for name in services:
            described = pool.FindServiceByName(name)
            assert described.methods
        infer = pool.FindServiceByName("inference.GRPCInferenceService").methods_by_name["ModelInfer"]
        assert infer.input_type.fields_by_name["raw_input_contents"].number == 7


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x1a\x02\xff\xfe", b"\x1f\x8bnothing"])
def test_what_is_no_message_of_reflection_is_an_error_of_the_client(server: Any, body: bytes) -> None:
    before = len(server.log())
    with grpc.insecure_channel(server.grpc_address) as channel:
        reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as refused:
            list(reflect(iter([body])))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in server.log()[before:]


@pytest.mark.parametrize(
    "asked",
    [
        {"file_by_filename": ""},
        {"file_by_filename": "\0" * 300},
        {"file_containing_symbol": "."},
        {
            "file_containing_extension": {
                "containing_type": "inference.ModelInferRequest",
                "extension_number": -1,
            }
        },
        {"file_containing_extension": {"containing_type": "nothing", "extension_number": 2**31 - 1}},
        {"all_extension_numbers_of_type": "nothing"},
        {"all_extension_numbers_of_type": "inference.GRPCInferenceService"},
        {},
    ],
)
def test_reflection_answers_what_there_is_not(server: Any, asked: dict[str, Any]) -> None:
    before = len(server.log())
    body = reflection_pb2.ServerReflectionRequest(**asked).SerializeToString()
    with grpc.insecure_channel(server.grpc_address) as channel:
        reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        (answer,) = reflect(iter([body]))
    assert reflection_pb2.ServerReflectionResponse.FromString(answer).error_response.error_code
    assert "Traceback" not in server.log()[before:]


def test_reflection_needs_a_key(strict: Any) -> None:
    with grpc.insecure_channel(strict.grpc_address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        with pytest.raises(grpc.RpcError) as raised:
            database.get_services()
    assert raised.value.code() is StatusCode.UNAUTHENTICATED


def test_without_a_port_nothing_of_grpc_is_loaded() -> None:
    script = (
        "from service.server.app import Lectern; import sys; print(*('grpc' in sys.modules, "
        "'service.server.transport.grpc_server' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


def test_silent_connections_leave_file_descriptors_for_http(start_server: StartServer) -> None:
    limit = "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (300, 300)); "
    command = (sys.executable, "-c", limit + "from service.cli import main; main()", "serve")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"")
    with start_server(grpc=True, command=command) as server, ExitStack() as stack:
        for _ in range(400):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.grpc_port), 30))
            with suppress(OSError):  # It has been closed.
                connection.sendall(preface)
        assert [server.ask("GET", "/livez").status for _ in range(5)] == [200] * 5
        assert "no connection can be accepted" not in server.log()
