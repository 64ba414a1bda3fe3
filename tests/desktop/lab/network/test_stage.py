"""Tests receptive fields: a value changes with the pixels of its field, and with no others."""

import numpy as np
import pytest

from desktop.lab.network.activations import NetworkRunner
from desktop.lab.network.stage import StageKind
from service.inference import Catalog
from service.inference.catalog import BUNDLED


@pytest.mark.parametrize(
    ("name", "version", "number"),
    [
        ("mnist", 1, 7),
        ("mnist", 2, 6),
        ("cifar10", 1, 10),
        ("cifar10", 3, 1),
        ("cifar10", 3, 10),
        ("cats_vs_dogs", 3, 8),
    ],
)
def test_a_value_depends_on_its_receptive_field_alone(name: str, version: int, number: int) -> None:
    catalog = Catalog(BUNDLED)
    card = catalog.card(name, version)
    runner = NetworkRunner.load(catalog.folder(card), card)
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, card.input.shape[1:], dtype=np.uint8)
    before = runner.run(pixels).values(number)[:, 2, 1]
    field = runner.network.field(number, 2, 1)
    assert field is not None
    height, width = pixels.shape[:2]
    inside = np.zeros((height, width), dtype=bool)
    inside[max(field.top, 0) : field.top + field.side, max(field.left, 0) : field.left + field.side] = True
    assert inside.any()
    assert not inside.all()
    noise = random.integers(0, 256, pixels.shape, dtype=np.uint8)
    mask = inside if pixels.ndim == 2 else inside[..., None]
    outside = np.where(mask, pixels, noise)
    np.testing.assert_allclose(runner.run(outside).values(number)[:, 2, 1], before, atol=1e-5)
    # The outermost rows and columns of the field matter.
    for rows, columns in ((field.top, slice(None)), (field.top + field.side - 1, slice(None)),
                          (slice(None), field.left), (slice(None), field.left + field.side - 1)):  # fmt: skip
        if min(one for one in (rows, columns) if isinstance(one, int)) < 0:
            continue
        edge = np.zeros_like(inside)
        edge[rows, columns] = True
        edge &= inside
        changed = pixels.copy()
        changed[edge] = 255 - changed[edge]
        after = runner.run(changed).values(number)[:, 2, 1]
        assert np.abs(after - before).max() > 1e-6


def test_a_dense_layer_has_no_receptive_field() -> None:
    catalog = Catalog(BUNDLED)
    card = catalog.card("mnist", 1)
    network = NetworkRunner.load(catalog.folder(card), card).network
    kinds = [stage.kind for stage in network.stages]
    assert network.field(kinds.index(StageKind.DENSE), 0, 0) is None
    assert network.field(len(kinds) - 1, 0, 0) is None
