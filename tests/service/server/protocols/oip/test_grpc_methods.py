"""The methods of the gRPC service, without gRPC."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from service.inference.errors import InputTooLarge
from service.server.execution.engine import Engine
from service.server.pipeline.memory import WorkingMemory
from service.server.protocols.oip import inference_pb2 as messages
from service.server.protocols.oip.grpc_methods import OipMethods
from service.settings import Settings


@pytest.fixture
def methods(tmp_path: Path, tiny_model: Callable[..., Path]) -> Iterator[OipMethods]:
    """The methods of an engine with 2 MB of working memory."""
    tiny_model(tmp_path)
    settings = Settings(models=str(tmp_path))
    engine = Engine(settings, working_memory=WorkingMemory(2_000_000))
    engine.start()
    yield OipMethods(engine, settings)
    engine.close()


def _request(*, raw: bool) -> bytes:
    """Return a request with 64 pictures, in which each pixel takes one byte or two."""
    pixels = np.full((64, 28, 28), 200, np.uint8)
    message = messages.ModelInferRequest(model_name="mnist")
    tensor = message.inputs.add(name="image", datatype="UINT8", shape=pixels.shape)
    if raw:
        message.raw_input_contents.append(pixels.tobytes())
    else:
        tensor.contents.uint_contents.extend(pixels.ravel().tolist())
    return message.SerializeToString()


def test_numbers_that_take_too_much_memory_are_an_error(methods: OipMethods) -> None:
    assert len(asyncio.run(methods.infer(_request(raw=True))).message.SerializeToString()) > 64 * 10 * 4
    with pytest.raises(InputTooLarge, match="LECTERN_MEMORY_MB"):
        asyncio.run(methods.infer(_request(raw=False)))
