"""Every target with inputs of Hypothesis: modest in `make test`, long in `make soak`."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.fuzz import TARGETS, target
from tests.fuzz.examples import hostile, inputs
from tests.table import each_row

HOSTILE_SERVER = ("replies", "session")
MOST_SEEDS = 60


@each_row("name", TARGETS)
def test_seeds_pass(name: str) -> None:
    seeds = target(name).seeds()
    for seed in seeds[:: 1 + len(seeds) // MOST_SEEDS]:
        target(name).run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_passes(name: str) -> None:
    for seed in target(name).seeds():
        target(name).run(seed)


@pytest.mark.parametrize("name", sorted(set(TARGETS) - set(HOSTILE_SERVER)))
@hypothesis.given(st.data())
def test_any_input_passes(name: str, data: st.DataObject) -> None:
    target(name).run(data.draw(inputs(name)))


@pytest.mark.parametrize("name", HOSTILE_SERVER)
@hostile
@hypothesis.given(st.data())
def test_whatever_a_server_says(name: str, data: st.DataObject) -> None:
    target(name).run(data.draw(inputs(name)))
