"""Lists that are brought up to date: always what is there, with the fewest touches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.app.delivery.listing import Edit, edits, place
from smtp_desk.app.delivery.rows import ID, DeliveryRow
from smtp_desk.app.delivery.words import DeliveryStatus

Contents = dict[str, DeliveryStatus]

contents = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2), st.sampled_from(DeliveryStatus), max_size=20
)


def rows(found: Contents) -> list[DeliveryRow]:
    return [(each, found[each].value) for each in sorted(found, reverse=True)]


@given(contents, contents)
def test_edits_from_the_last_to_the_first_make_the_new_list(old: Contents, new: Contents) -> None:
    shown, wanted = rows(old), rows(new)
    for edit in reversed(edits(shown, wanted)):
        shown[edit.start : edit.end] = edit.rows
    assert shown == wanted


@given(contents, contents)
def test_an_edit_takes_away_or_puts_in_or_changes_in_place(old: Contents, new: Contents) -> None:
    shown = rows(old)
    for edit in edits(shown, rows(new)):
        before = [row[ID] for row in shown[edit.start : edit.end]]
        after = [row[ID] for row in edit.rows]
        assert not before or not after or before == after
        assert set(before) - set(after) <= set(old) - set(new)


def test_rows_that_come_together_are_one_edit() -> None:
    new = rows(dict.fromkeys("abcdef", DeliveryStatus.SENT))
    assert edits(new[4:], new) == [Edit(0, 0, tuple(new[:4]))]
    assert edits(new, new[:2]) == [Edit(2, 6, ())]
    assert edits(new, new) == []


@given(contents, st.text("abcdef", min_size=1, max_size=2))
def test_the_place_of_an_entry(found: Contents, sought: str) -> None:
    ids = [row[ID] for row in rows(found)]
    assert place(rows(found), sought) == sum(each > sought for each in ids)
    assert place(rows(found), sought, behind=True) == sum(each >= sought for each in ids)
