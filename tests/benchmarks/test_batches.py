"""The kills of the benchmark are of all kinds, seeded, and spread over the batch."""

from collections import Counter

import pytest
from batches.kills import plan


@pytest.mark.parametrize("seed", range(5))
def test_kills_are_of_all_kinds_in_the_order_of_their_moments(seed: int) -> None:
    kills = plan(10, seed)
    assert sorted(Counter(kill.kind for kill in kills).values()) == [3, 3, 4]
    assert [kill.share for kill in kills] == sorted(kill.share for kill in kills)
    assert all(0 < kill.share < 1 for kill in kills)


def test_a_seed_gives_the_same_kills_again() -> None:
    assert plan(10, 1) == plan(10, 1)
    assert plan(10, 1) != plan(10, 2)
