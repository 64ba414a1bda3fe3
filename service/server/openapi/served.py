"""Gives the schemas that depend on the server at hand: names, versions, labels and layers of its models."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.server.protocols.common import api
from service.settings import Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class ServedModels:
    """The models and settings of one server process."""

    catalog: Catalog
    settings: Settings

    def cards(self, selection: api.Selection) -> list[Card]:
        """Return the default versions of some models; models of digits are first, as examples show them."""
        cards = sorted(self.catalog, key=lambda card: card.input.preprocessing != "digit")
        return [card for card in cards if _is_selected(card, selection)]

    def schema(self, values: str, selection: api.Selection) -> Json:
        """Return the keywords for a type that is marked with ``served``.

        Args:
            values: ``names``, ``versions``, ``labels``, ``layers`` or ``max_batch``.
            selection: Which models count.
        """
        cards = self.cards(selection)
        match values:
            case "names":
                return _enum(card.name for card in cards)
            case "versions":
                return _enum(sorted(card.version for card in self._versions(cards)))
            case "labels":
                return _enum(label for card in self._versions(cards) for label in card.labels)
            case "layers":
                graphs = [card.explanation for card in self._versions(cards)]
                return _enum(layer for graph in graphs if graph is not None for layer in graph.layers)
            case "max_batch":
                return {"maxItems": self.settings.max_batch}
        raise ValueError(f"there are no served values {values!r}")

    def _versions(self, cards: Sequence[Card]) -> Iterator[Card]:
        for card in cards:
            for version in self.catalog.versions(card.name):
                yield self.catalog.card(card.name, version)


def _is_selected(card: Card, selection: api.Selection) -> bool:
    match selection:
        case "pictures":
            return card.reads == "pictures"
        case "texts":
            return card.reads == "texts"
        case "explained":
            return card.explanation is not None
        case "digits":
            return card.input.preprocessing == "digit" and card.task == "image-classification"
        case "none":
            return False
    return True


def _enum(values: Iterable[object]) -> Json:
    distinct = list(dict.fromkeys(values))
    return {"enum": distinct} if distinct else {}
