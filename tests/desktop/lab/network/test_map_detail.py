"""Tests that a map is the sum of what its inputs add."""

import numpy as np
import pytest

from desktop.lab.network import map_detail
from desktop.lab.network.activations import Activations, NetworkRunner
from desktop.lab.network.map_detail import explain_map
from desktop.lab.network.stage import StageKind
from service.inference import Catalog
from service.inference.catalog import BUNDLED


def run(name: str, version: int, seed: int = 5) -> Activations:
    catalog = Catalog(BUNDLED)
    card = catalog.card(name, version)
    pixels = np.random.default_rng(seed).integers(0, 256, card.input.shape[1:], dtype=np.uint8)
    return NetworkRunner.load(catalog.folder(card), card).run(pixels)


# The second network of cats and dogs has depthwise convolutions, strides and uneven padding.
@pytest.mark.parametrize(("name", "version"), [("mnist", 1), ("mnist", 2), ("cats_vs_dogs", 3)])
def test_the_products_add_up_to_the_map(monkeypatch: pytest.MonkeyPatch, name: str, version: int) -> None:
    monkeypatch.setattr(map_detail, "SHOWN_INPUTS", 10_000)
    found = run(name, version)
    weighted = (StageKind.CONVOLUTION, StageKind.DENSE)
    checked = [number for number, stage in enumerate(found.network.stages) if stage.kind in weighted]
    assert len(checked) > 4
    for number in checked:
        for index in (0, len(found.maps(number)) - 1):
            detail = explain_map(found, number, index)
            assert detail.parts is not None
            assert len(detail.parts) == detail.count
            scale = max(float(np.abs(detail.parts).sum(axis=0).max()), 1)
            np.testing.assert_allclose(
                detail.parts.sum(axis=0) + detail.bias, detail.values, atol=2e-3 * scale, err_msg=f"{number}"
            )


def test_the_inputs_that_add_most_come_first_and_keep_their_order() -> None:
    found = run("mnist", 1)
    detail = explain_map(found, 4, 3)
    assert detail.parts is not None
    assert detail.count == 32
    assert len(detail.inputs) == map_detail.SHOWN_INPUTS
    strengths = np.abs(detail.parts).sum(axis=(1, 2))
    assert (np.diff(strengths) <= 0).all()
    np.testing.assert_array_equal(detail.inputs, found.values(3)[detail.numbers])
    other = run("mnist", 1, seed=6)
    kept = explain_map(other, 4, 3, before=detail)
    np.testing.assert_array_equal(kept.numbers, detail.numbers)
    np.testing.assert_array_equal(kept.inputs, other.values(3)[detail.numbers])
    assert explain_map(other, 4, 4, before=detail).numbers.tolist() != detail.numbers.tolist()


def test_a_depthwise_convolution_reads_the_map_of_its_number() -> None:
    found = run("cats_vs_dogs", 3)
    number = next(number for number, stage in enumerate(found.network.stages) if stage.groups > 1)
    detail = explain_map(found, number, 5)
    assert detail.numbers.tolist() == [5]
    again = explain_map(found, number, 5, before=detail)
    np.testing.assert_array_equal(again.inputs, found.read(number)[5:6])


def test_stages_without_weights_show_what_they_read() -> None:
    found = run("cats_vs_dogs", 1)
    kinds = [stage.kind for stage in found.network.stages]
    normalization = kinds.index(StageKind.NORMALIZATION)
    detail = explain_map(found, normalization, 7)
    assert detail.factor is not None
    np.testing.assert_allclose(detail.inputs[0] * detail.factor + detail.bias, detail.values, atol=1e-4)
    pooling = kinds.index(StageKind.POOLING)
    np.testing.assert_array_equal(explain_map(found, pooling, 2).inputs[0], found.values(pooling - 1)[2])
    assert explain_map(found, len(kinds) - 1, 1).inputs.ravel().tolist() == found.logits.tolist()
    assert len(explain_map(found, 0, 0).inputs) == 0
