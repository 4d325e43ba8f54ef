"""Names that sort and never meet."""

from __future__ import annotations

from smtp_desk.sender.outbox.entries import IdentifierSource, first_identifier, new_token


def test_they_sort_in_the_order_of_their_making() -> None:
    source = IdentifierSource()
    made = [source.next(milliseconds) for milliseconds in (5, 5, 5, 6, 1_772_000_000_000, 2**47)]
    assert made == sorted(set(made))
    assert {len(name) for name in made} == {26}


def test_two_sources_do_not_meet() -> None:
    one, other = IdentifierSource(), IdentifierSource()
    assert not {one.next(9) for _ in range(1000)} & {other.next(9) for _ in range(1000)}


def test_the_largest_chance_leaves_room_to_count_on() -> None:
    source = IdentifierSource(lambda bits: 2**bits - 1)
    assert source.next(8) < source.next(8) < first_identifier(9)


def test_a_moment_parts_what_came_before_it() -> None:
    source = IdentifierSource()
    assert source.next(8) < first_identifier(9) <= source.next(9)


def test_before_1970_is_the_first_moment() -> None:
    assert first_identifier(-1) == first_identifier(0) == "0" * 26


def test_tokens_differ() -> None:
    assert len({new_token() for _ in range(100)}) == 100
