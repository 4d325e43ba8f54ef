"""Recipients that fail on purpose."""

import pytest

from smtp_desk.sandbox import server
from smtp_desk.sandbox.recipients import SPECIAL_RECIPIENTS, TRY_THESE, special_recipient


@pytest.mark.parametrize("special", SPECIAL_RECIPIENTS, ids=lambda special: special.local_part)
def test_special_at_every_domain_in_every_case(special: object) -> None:
    local_part = getattr(special, "local_part", "")
    assert special_recipient(f"{local_part}@example.org") is special
    assert special_recipient(f"{local_part.upper()}@sandbox.test") is special
    assert special_recipient(f"{local_part}s@example.org") is None


def test_what_is_offered_to_try_is_what_is_done() -> None:
    assert [special_recipient(address) for address, _ in TRY_THESE] == list(SPECIAL_RECIPIENTS)
    for (_, what_happens), special in zip(TRY_THESE, SPECIAL_RECIPIENTS, strict=True):
        assert what_happens
        code = special.reply[:9]
        assert special.slow or f"({code})" in what_happens


def test_the_server_s_docstring_tells_them_all() -> None:
    for special in SPECIAL_RECIPIENTS:
        assert f"- {special.local_part}@…" in (server.__doc__ or "")
        assert special.what_happens.partition(":")[0] in (server.__doc__ or "")
