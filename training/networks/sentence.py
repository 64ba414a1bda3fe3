"""Defines a sentence as the fit of word weights takes it."""

from dataclasses import dataclass

from service.inference.preprocessing.text import Ids


@dataclass(frozen=True)
class Sentence:
    """The token ids of a sentence and of its negations, which have the opposite sentiment."""

    ids: Ids
    negations: tuple[Ids, ...] = ()
    of_opinion: bool = False  # whether it is a positive opinion of someone, as "I liked it"
