"""Inputs of the targets for Hypothesis, and how many of them it tries."""

from __future__ import annotations

import functools
from typing import Final

import hypothesis
import hypothesis.strategies as st

from tests.fuzz import target

_MANY: Final = 100_000
_SOAKING: Final = hypothesis.settings.get_current_profile_name() == "soak"

hostile: Final = hypothesis.settings(max_examples=_MANY) if _SOAKING else hypothesis.settings()
"""For what a hostile server reaches first: 100,000 examples in `make soak`."""


@functools.cache
def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Return seeds of the target with a few edits, and anything else.

    Made once for each target: making it costs ten times as much as an input.
    """
    fuzzed = target(name)
    seeds = st.sampled_from(fuzzed.seeds())
    piece = st.sampled_from(fuzzed.WORDS) | st.binary(max_size=8)
    edit = st.tuples(st.integers(0, 2000), st.integers(0, 40), piece)
    return st.builds(_edited, seeds, st.lists(edit, max_size=6)) | st.lists(piece).map(b"".join)


def _edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, piece in edits:
        at = place % (len(seed) + 1)
        seed = seed[:at] + piece + seed[at + length :]
    return seed
