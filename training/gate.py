"""Owns the gate: a small network that says how much a digit looks drawn with a pen of one width, not scanned.

What is sure of scanned ink and what is sure of pens fight for the room in one network. Two experts have room
for both, and a gate that knows which of them to ask (Jacobs, Jordan, Nowlan and Hinton 1991); that one is
fitted by itself here, to the training digits as they are and to the same digits redrawn.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from training.datasets import Dataset, Examples
from training.inputs import as_served
from training.layers import DataFacts, Network
from training.loop import fit
from training.redraw import redraw
from training.settings import Augmentation, Settings
from training.train import facts_of

_SETTINGS = Settings(
    epochs=4,
    batch_size=256,
    optimizer="sgd",
    learning_rate=0.1,
    weight_decay=0.01,
    schedule="cosine",
    scaling="standard",
    precision="mixed_bfloat16",
    # What is scanned may be blurred, and what is drawn may come as a JPEG.
    augmentation=Augmentation(shift=0.03, damaged=0.25),
)
_SEED = 0


@dataclass(frozen=True)
class Gate:
    """A gate between two kinds of experts.

    Attributes:
        network: Takes pictures as the experts do, and gives (batch, 1), 0 for scanned to 1 for drawn.
        accuracy: Share of the validation digits, scanned and redrawn, that it tells apart.
    """

    network: keras.Model
    accuracy: float


def train_gate(dataset: Dataset) -> Gate:
    """Train a gate, which takes minutes.

    Args:
        dataset: Of scanned digits; the test split is not looked at.
    """
    facts = replace(facts_of(dataset), classes=2)
    with tempfile.TemporaryDirectory() as folder:
        network, history = fit(
            lambda: _build(facts),
            train=_both(dataset.train),
            validation=_both(dataset.validation),
            settings=_SETTINGS,
            folder=Path(folder),
        )
    return Gate(network, history[-1].validation_accuracy)


def _build(facts: DataFacts) -> keras.Model:
    """Make the network: 16,851 parameters."""
    network = Network(_SETTINGS, shape=(28, 28)).scale(facts).whiten(facts, side=3, floor=0.05)
    return network.block(16, depth=1).block(32).mean().classify(facts.classes)


def _both(scanned: Examples) -> Examples:
    """Return digits as they are, class 0, and each of them redrawn once, class 1."""
    drawn = redraw(scanned)
    places = np.arange(len(scanned))
    kinds = np.random.default_rng(_SEED).integers(0, len(drawn), len(scanned))
    pictures = np.concatenate([as_served(scanned, preprocessing="digit").x, drawn[kinds, places]])
    return Examples(pictures, np.repeat([0, 1], len(scanned)))
