"""What has to change in a long list so that it shows the newest state, and nothing more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby

from smtp_desk.app.delivery_rows import ID, DeliveryRow


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a list: the rows from `start` to before `end` become `rows`.

    Rows go (none come), or come (none go), or stay the same entries with new contents
    (as many come as go).
    """

    start: int
    end: int
    rows: tuple[DeliveryRow, ...]


class _Kind(Enum):
    SAME = auto()
    CHANGED = auto()
    GONE = auto()
    NEW = auto()


@dataclass(frozen=True, slots=True)
class _Step:
    kind: _Kind
    index: int
    row: DeliveryRow


def edits(old: Sequence[DeliveryRow], new: Sequence[DeliveryRow]) -> list[Edit]:
    """Return what makes `new` of `old`, both newest first; apply it from the last to the first.

    An entry that stays is never taken out of the list: a selection holds on to it.
    """
    found = []
    for kind, steps in groupby(_steps(old, new), lambda step: step.kind):
        group = list(steps)
        if kind is not _Kind.SAME:
            end = group[-1].index + (kind is not _Kind.NEW)
            rows = () if kind is _Kind.GONE else tuple(step.row for step in group)
            found.append(Edit(group[0].index, end, rows))
    return found


def place(rows: Sequence[DeliveryRow], entry_id: str, *, behind: bool = False) -> int:
    """Return where `entry_id` stands, or would stand, in `rows`, newest first.

    Args:
        rows: The list.
        entry_id: The entry.
        behind: Return the place behind it instead.
    """
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        before = rows[middle][ID] >= entry_id if behind else rows[middle][ID] > entry_id
        low, high = (middle + 1, high) if before else (low, middle)
    return low


def _steps(old: Sequence[DeliveryRow], new: Sequence[DeliveryRow]) -> Iterator[_Step]:
    """Walk both lists, which are sorted alike, side by side."""
    left = right = 0
    while left < len(old) or right < len(new):
        if right == len(new) or (left < len(old) and old[left][ID] > new[right][ID]):
            yield _Step(_Kind.GONE, left, old[left])
            left += 1
        elif left == len(old) or old[left][ID] < new[right][ID]:
            yield _Step(_Kind.NEW, left, new[right])
            right += 1
        else:
            kind = _Kind.SAME if old[left] == new[right] else _Kind.CHANGED
            yield _Step(kind, left, new[right])
            left, right = left + 1, right + 1
