"""Tests that no bytes make the readers of requests fail; Hypothesis's profile sets the number of cases."""

from contextlib import suppress

import pytest
from fuzz_targets import REFUSALS, TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from seeds import SEEDS


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_valid(name: str) -> None:
    for seed in SEEDS[name]():
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_make_a_reader_fail(name: str) -> None:
    seeds = SEEDS[name]()

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(mutated(seeds), st.binary(max_size=200)))
    def read(data: bytes) -> None:
        with suppress(*REFUSALS):
            TARGETS[name](data)

    read()
