"""Scenes of Find settings and of managed fields, made by hand: for screenshots and for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.notice import Notice
from smtp_desk.app.proposals.presenter import FindBusy, FindState, Proposal
from smtp_desk.app.proposals.words import NOTHING_FOUND, next_step
from smtp_desk.core.address import parse_mailbox
from smtp_desk.core.findings.providers import Provider, SendingLimits, SignIn
from smtp_desk.core.problems import Field, Problem, Severity
from smtp_desk.core.settings import Security, SettingsDraft
from smtp_desk.discovery.candidates import Asked, Candidate, SearchResult, Source
from smtp_desk.discovery.finder import planned
from tests.ui.states import EMPTY, SCENES, STORED, TYPED, Scene

ADDRESS: Final = "desk@example.org"
DRAFT: Final = SettingsDraft(from_name="Example Partners", from_email=ADDRESS)
PLAN: Final = tuple(planned(parse_mailbox(ADDRESS)))
RESULTS: Final = (
    SearchResult.FOUND,
    SearchResult.HTTP_STATUS,
    SearchResult.OTHER_PROVIDER,
    SearchResult.NOTHING,
    SearchResult.FOUND,
    SearchResult.NOTHING,
    SearchResult.NO_ANSWER,
)
DETAILS: Final = {SearchResult.HTTP_STATUS: "404", SearchResult.OTHER_PROVIDER: "mx.example.org"}
ASKED: Final = tuple(
    replace(each, result=result, detail=DETAILS.get(result, ""))
    for each, result in zip(PLAN, RESULTS, strict=True)
)
HOSTING: Final = Provider(
    id="example",
    name="Example Hosting",
    hosts=(".mail-hosting.example.net",),
    banner="",
    facts={"app_password_url": "https://help.example.net/app-passwords"},
    limits=SendingLimits(
        text="300 emails an hour, 2,000 a day and 100 recipients an email",
        pages=("https://help.example.net/limits",),
        checked="2026-11-30",
    ),
)
SURE: Final = Candidate(
    host="smtp.example.org",
    port=465,
    security=Security.TLS,
    username=ADDRESS,
    sign_in=(SignIn.PASSWORD,),
    source=Source.AUTOCONFIG,
)
FORGEABLE: Final = Candidate(
    host="submission.mail-hosting.example.net",
    port=587,
    security=Security.STARTTLS,
    username=ADDRESS,
    sign_in=(SignIn.APP_PASSWORD, SignIn.OAUTH),
    source=Source.SRV,
    known=HOSTING,
    only_dns=True,
)


def _of(provider: str, host: str, *ways: SignIn) -> Candidate:
    facts = {"smtp_host": host, "oauth_provider": provider}
    known = replace(HOSTING, id=provider, facts={**HOSTING.facts, **facts})
    return replace(
        SURE,
        host=host,
        port=587,
        security=Security.STARTTLS,
        sign_in=ways,
        source=Source.PROVIDER,
        known=known,
    )


BOTH_WAYS: Final = _of("google", "smtp.gmail.com", SignIn.OAUTH, SignIn.APP_PASSWORD)
NO_PASSWORDS: Final = _of("microsoft", "smtp-mail.outlook.com", SignIn.OAUTH)


def proposals(draft: SettingsDraft = DRAFT) -> tuple[Proposal, ...]:
    """The two candidates, for what stands in the form."""
    return tuple(Proposal.of(each, draft) for each in (SURE, FORGEABLE))


_TAKEN = replace(
    DRAFT, host=SURE.host, port=str(SURE.port), security=SURE.security, username=ADDRESS
)
_HALF = tuple(replace(each, result=None) if n % 2 else each for n, each in enumerate(ASKED))
_LEADING = Scene(state=replace(TYPED, changed=True), draft=DRAFT)
FOUND: Final = FindState(searched=True, questions=ASKED, proposals=proposals())
NOTHING: Final = FindState(
    searched=True,
    questions=tuple(Asked(each.source, each.target, SearchResult.NO_ANSWER) for each in ASKED),
    notice=Notice(NOTHING_FOUND, plain=True),
    may_ask_ispdb=True,
)
FIND_SCENES: Final[dict[str, tuple[Scene, FindState]]] = {
    "start": (Scene(state=EMPTY, focus=Field.FROM_EMAIL), FindState(reason="Enter an address.")),
    "plan": (_LEADING, FindState(questions=PLAN)),
    "finding": (
        _LEADING,
        FindState(busy=FindBusy.FINDING, searched=True, questions=_HALF),
    ),
    "found": (_LEADING, FOUND),
    "oauth": (
        _LEADING,
        FindState(
            searched=True,
            questions=ASKED[:1],
            proposals=tuple(Proposal.of(each, DRAFT) for each in (BOTH_WAYS, NO_PASSWORDS)),
        ),
    ),
    "typed": (
        replace(_LEADING, draft=replace(DRAFT, host="mail.example.org", username="desk")),
        replace(
            FOUND,
            proposals=proposals(replace(DRAFT, host="mail.example.org", username="desk")),
        ),
    ),
    "taken": (
        replace(_LEADING, draft=_TAKEN, focus=Field.PASSWORD),
        replace(FOUND, proposals=proposals(_TAKEN), notice=Notice(next_step(SURE)), may_undo=True),
    ),
    "nothing": (_LEADING, NOTHING),
    "saved": (SCENES["saved"], FindState(questions=PLAN)),
}

_LOCKED = frozenset({Field.HOST, Field.PORT, Field.SECURITY})
MANAGED_SCENES: Final[dict[str, Scene]] = {
    "defaults": Scene(
        state=replace(EMPTY, locked=_LOCKED, contact="mail team, +49 30 1234"),
        draft=replace(DRAFT, host="relay.example.org", security="starttls", from_email=""),
        focus=Field.USERNAME,
    ),
    "since": Scene(
        state=replace(
            SCENES["saved"].state,
            notice=None,
            locked=_LOCKED,
            contact="mail team, +49 30 1234",
            offers=frozenset({Offer.MANAGED_VALUES}),
            problems=(
                Problem(
                    Field.HOST,
                    "managed.locked_since",
                    {"value": "relay.example.org"},
                    Severity.NOTICE,
                ),
            ),
        ),
        draft=STORED,
    ),
}
