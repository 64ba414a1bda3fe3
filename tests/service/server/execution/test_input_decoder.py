"""Inputs that take long are not decoded on the event loop."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.catalog import Catalog
from service.inference.errors import InputTooLarge
from service.server.execution.input_decoder import InputDecoder
from service.server.pipeline.memory import WorkingMemory

Encode = Callable[..., bytes]


def _lined_page(side: int) -> Image.Image:
    page = np.full((side, side), 235, np.uint8)
    page[5::8] = page[6::8] = page[:, 5::8] = 150
    page[side // 3 : side // 2, side // 2 : side // 2 + 20] = 20
    return Image.fromarray(page)


def test_a_long_text_waits_for_memory(models_folder: Path) -> None:
    predictor, memory = Catalog(models_folder).predictor("imdb"), WorkingMemory(1_000_000)
    decoder = InputDecoder(max_pixels=1_000_000, working_memory=memory)
    with pytest.raises(InputTooLarge, match="LECTERN_MEMORY_MB"):
        decoder.decode(predictor, ["a good film " * 5_000])
    with pytest.raises(InputTooLarge, match="LECTERN_MEMORY_MB"), decoder.reserve_text("film " * 10_000):
        pass
    assert len(decoder.decode(predictor, ["a good film "] * 5_000).batch) == 5_000
    memory.size = 200_000_000
    with pytest.raises(InputTooLarge, match="characters, more than"):
        decoder.decode(predictor, ["a good film " * 500_000])


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_page_that_is_searched_for_ink_is_left_to_a_thread(
    models_folder: Path, encode: Encode, digit_png: bytes, is_slow: bool
) -> None:
    predictor = Catalog(models_folder).predictor("mnist")
    decoder = InputDecoder(max_pixels=1_000_000, working_memory=WorkingMemory())
    assert decoder.decode_inline(predictor, [digit_png], started=time.perf_counter(), is_slow=is_slow)
    page = encode(_lined_page(200))
    assert decoder.decode_inline(predictor, [page], started=time.perf_counter(), is_slow=is_slow) is None
    assert decoder.decode(predictor, [page]).batch.shape == (1, 28, 28)
