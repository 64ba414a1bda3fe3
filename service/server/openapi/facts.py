"""Owns what the document says of the server at hand: its models, versions, labels and limits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.settings import Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """The models and settings of one server process.

    Attributes:
        catalog: The models.
        settings: Limits and keys.
    """

    catalog: Catalog
    settings: Settings

    @property
    def cards(self) -> tuple[Card, ...]:
        """The default version of each model; one that reads digits is first, as examples begin with it."""
        return tuple(sorted(self.catalog, key=lambda card: card.input.preprocessing != "digit"))

    @property
    def pictures(self) -> tuple[Card, ...]:
        """Those of the models that take pictures."""
        return tuple(card for card in self.cards if card.task == "image-classification")

    @property
    def texts(self) -> tuple[Card, ...]:
        """Those of the models that take texts."""
        return tuple(card for card in self.cards if card.task == "text-classification")

    @property
    def explained(self) -> tuple[Card, ...]:
        """Those of the models whose default version can be explained."""
        return tuple(card for card in self.cards if card.explanation is not None)

    def every(self, cards: Sequence[Card]) -> Iterator[Card]:
        """Yield all versions of some models."""
        for card in cards:
            for version in self.catalog.versions(card.name):
                yield self.catalog.card(card.name, version)

    def names(self, cards: Sequence[Card]) -> Json:
        """Return the schema of some models' names."""
        return _one_of("string", (card.name for card in cards))

    def versions(self, cards: Sequence[Card]) -> Json:
        """Return the schema of the versions that some models have."""
        return _one_of("integer", sorted(card.version for card in self.every(cards)))

    def labels(self, cards: Sequence[Card]) -> Json:
        """Return the schema of the labels that some models have."""
        return _one_of("string", (label for card in self.every(cards) for label in card.labels))

    def layers(self) -> Json:
        """Return the schema of the convolutional layers whose feature maps can be asked for."""
        graphs = [card.explanation for card in self.every(self.explained)]
        return _one_of("string", (layer for graph in graphs if graph is not None for layer in graph.layers))


def _one_of(kind: str, values: Iterable[object]) -> Json:
    distinct = list(dict.fromkeys(values))
    return {"type": kind, "enum": distinct} if distinct else {"type": kind}
