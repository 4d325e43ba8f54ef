"""The status line of Integrations while the custom server is out."""

from dataclasses import replace

import pytest

from smtp_desk.app.integrations.followed_view import OutageView
from smtp_desk.app.integrations.state import Busy, IntegrationsState
from smtp_desk.app.notice import StatusKind, StatusLine
from smtp_desk.app.routes.default import DefaultState
from smtp_desk.app.routes.outage import Outage
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.store.stored import DefaultKind
from tests.app.faces import RememberingView

ACTIVE = IntegrationsState(status=StatusLine(StatusKind.ACTIVE, "Active."))
OUTAGE = Outage(since="10:02", summary="", fallbacks=0, shut=False, held=False)


@pytest.mark.parametrize("outage_first", [True, False])
def test_whichever_comes_first_both_are_shown(outage_first: bool) -> None:
    inner = RememberingView()
    view = OutageView(inner, lambda: None)
    if outage_first:
        view.outage_changed(OUTAGE)
    view.render(ACTIVE)
    view.outage_changed(OUTAGE)
    assert inner.states[-1].status.text == "Unavailable, using the default service since 10:02."
    view.outage_changed(None)
    assert inner.states[-1] == ACTIVE


def test_after_each_change_it_is_looked_again() -> None:
    looks: list[str] = []
    view = OutageView(RememberingView(), lambda: looks.append("look"))
    for busy, expected in (
        (Busy.LOADING, 1),
        (Busy.SAVING, 2),
        (Busy.SWITCHING, 3),
        (Busy.REMOVING, 4),
        (Busy.TESTING, 4),
    ):
        view.render(replace(ACTIVE, busy=busy))
        view.render(ACTIVE)
        assert len(looks) == expected, busy


@pytest.mark.parametrize("default_first", [True, False])
@pytest.mark.parametrize("start", ["Off. S", "Not proven. Why. Until then: s"])
def test_it_says_where_emails_go_by_the_default_service_of_now(
    start: str, default_first: bool
) -> None:
    inner, looks = RememberingView(), list[str]()
    view = OutageView(inner, lambda: looks.append("look"))
    held = "ystem emails wait in the outbox until a route works."
    taken = "ystem emails leave through the default email service."
    if default_first:
        view.default_changed(DefaultState(kind=DefaultKind.SENDMAIL))
    view.render(IntegrationsState(status=StatusLine(StatusKind.OFF, start + held)))
    view.default_changed(DefaultState(kind=DefaultKind.SENDMAIL))
    assert inner.states[-1].status.text == start + taken
    view.default_changed(DefaultState(kind=DefaultKind.OUTBOX))
    assert inner.states[-1].status.text == start + held
    assert looks == ["look"], "of an outage it is told where emails wait"


def test_the_rest_goes_through() -> None:
    inner = RememberingView()
    view = OutageView(inner, lambda: None)
    draft = SettingsDraft(host="smtp.example.org")
    view.show_draft(draft, "")
    view.focus_field(Field.HOST)
    view.focus_outcome()
    assert inner.draft == draft
    assert inner.focus == [Field.HOST, "outcome"]
