"""Inputs of the targets for Hypothesis, and how many of them it tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import hypothesis
import hypothesis.strategies as st

if TYPE_CHECKING:
    from tests.fuzz import Target

_MANY: Final = 100_000
_SOAKING: Final = hypothesis.settings.get_current_profile_name() == "soak"

hostile: Final = hypothesis.settings(max_examples=_MANY) if _SOAKING else hypothesis.settings()
"""For what a hostile server reaches first: 100,000 examples in `make soak`."""


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Return seeds of the target with a few edits, and anything else."""
    seeds = st.sampled_from(target.seeds())
    piece = st.sampled_from(target.WORDS) | st.binary(max_size=8)
    edit = st.tuples(st.integers(0, 2000), st.integers(0, 40), piece)
    return st.builds(_edited, seeds, st.lists(edit, max_size=6)) | st.lists(piece).map(b"".join)


def _edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, piece in edits:
        at = place % (len(seed) + 1)
        seed = seed[:at] + piece + seed[at + length :]
    return seed
