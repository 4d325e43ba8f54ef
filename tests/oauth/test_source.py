"""Tokens are renewed in time, by one at a time, and what is new is kept before it is used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow
from smtp_desk.core.secret import AccessToken, KeyringEntry, Lifetime, Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.oauth.client import Grant
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.source import OwnVault, SavedVault, TokenSource
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import StoredServer
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.oauth.conftest import settings_of
from tests.servers.sign_in_service import Reply, Request, SignInService, refusal
from tests.store.failing_credentials import FailingCredentials

ANN: Final = "ann@example.org"
HOUR: Final = 3_600.0


@dataclass
class TurnedTime:
    """Seconds since 1970, turned by hand."""

    at: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Account:
    """A saved sign-in, and processes that use it."""

    service: SignInService
    link: ProviderLink
    time: TurnedTime
    paths: Paths
    credentials: FailingCredentials
    server: StoredServer

    def store(self) -> SettingsStore:
        return SettingsStore(self.paths, self.credentials)

    def source(self) -> TokenSource:
        """As another process has it."""
        oauth = self.server.settings.oauth
        assert oauth is not None
        vault = SavedVault(self.store(), self.server)
        return TokenSource(oauth, ANN, vault, self.link)

    def entry(self) -> KeyringEntry:
        entry = self.store().entry(self.server)
        assert entry is not None
        return entry

    @property
    def renewals(self) -> int:
        return len(self.service.of("/token"))


Saved = Callable[..., Account]


@pytest.fixture
def saved(service: SignInService, link: ProviderLink, paths: Paths) -> Saved:
    def save(
        flow: OAuthFlow = OAuthFlow.BROWSER, secret: str = "", *, signed_in: bool = True
    ) -> Account:
        time = TurnedTime()
        credentials = FailingCredentials()
        settings = ServerSettings(
            host="mail.example.test",
            port=587,
            from_email=ANN,
            username=ANN,
            oauth=settings_of(service, flow),
        )
        refresh = Secret(service.new_refresh_token() if signed_in else "")
        stored = SettingsStore(paths, credentials).save_server(
            settings, Security.STARTTLS, Secret(secret), refresh_token=refresh
        )
        assert stored.server is not None
        told = replace(link, now=time)
        return Account(service, told, time, paths, credentials, stored.server)

    return save


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths.below(tmp_path)
    made.ensure()
    return made


def failure_of(source: TokenSource) -> tuple[str | None, object]:
    with pytest.raises(SmtpFailure) as told:
        source.token(Cancel())
    assert "refresh-" not in repr(told.value.facts)
    return told.value.code, told.value.facts.get("reason")


def test_a_token_is_got_once_and_kept_with_what_renews_it(saved: Saved) -> None:
    account = saved()
    source = account.source()
    token = source.token(Cancel())
    assert token == Secret(account.service.access[-1])
    assert source.token(Cancel()) == token
    assert account.renewals == 1
    entry = account.entry()
    assert entry.refresh_token == Secret(account.service.refresh)
    assert entry.access_token is not None
    assert entry.access_token.secret == token


def test_other_processes_find_it_in_the_keyring(saved: Saved) -> None:
    account = saved()
    token = account.source().token(Cancel())
    account.time.at += HOUR / 2
    assert {account.source().token(Cancel()).reveal() for _ in range(4)} == {token.reveal()}
    assert account.renewals == 1


def test_it_is_renewed_before_it_ends(saved: Saved) -> None:
    account = saved()
    source = account.source()
    first = source.token(Cancel())
    account.time.at += HOUR - 301
    assert source.token(Cancel()) == first
    account.time.at += 2
    assert source.token(Cancel()) != first
    assert account.renewals == 2


def test_an_hour_of_tokens_of_five_minutes_takes_one_renewal_each(saved: Saved) -> None:
    account = saved()
    account.service.lifetime = 300
    sources = [account.source() for _ in range(3)]
    used = set()
    for _ in range(60):  # each minute, by one process or another
        for source in sources:
            token = source.token(Cancel())
            used.add(token.reveal())
            assert token == Secret(account.service.access[-1])
        account.time.at += 60
    assert len(used) == account.renewals == 60 / 4
    assert account.entry().refresh_token == Secret(account.service.refresh)


def test_many_threads_at_once_are_one_renewal(saved: Saved) -> None:
    account = saved()
    source, together = account.source(), threading.Barrier(8)

    def ask() -> str:
        together.wait()
        return source.token(Cancel()).reveal()

    with ThreadPoolExecutor(8) as threads:
        answers = {each.result() for each in [threads.submit(ask) for _ in range(8)]}
    assert len(answers) == 1
    assert account.renewals == 1


def test_a_loser_of_the_race_reads_again(saved: Saved) -> None:
    account = saved()
    sources, together = [account.source() for _ in range(6)], threading.Barrier(6)

    def ask(source: TokenSource) -> str:
        together.wait()
        return source.token(Cancel()).reveal()

    for turn in range(1, 6):
        with ThreadPoolExecutor(6) as threads:
            assert len(set(threads.map(ask, sources))) == 1
        assert account.renewals == turn
        account.time.at += HOUR
    assert account.service.refresh


@pytest.mark.parametrize("flow", [OAuthFlow.BROWSER, OAuthFlow.DEVICE])
def test_a_sign_in_that_ended_needs_a_person(saved: Saved, flow: OAuthFlow) -> None:
    account = saved(flow)
    account.service.refresh = "somebody else used it"
    assert failure_of(account.source()) == ("auth.sign_in_again", None)
    assert account.renewals == 1


def test_who_never_signed_in_has_to(saved: Saved) -> None:
    account = saved(secret="client secret", signed_in=False)
    assert failure_of(account.source()) == ("auth.sign_in_again", None)
    assert account.renewals == 0


def test_an_application_needs_no_refresh_token(saved: Saved) -> None:
    account = saved(OAuthFlow.APP, "client secret", signed_in=False)
    token = account.source().token(Cancel())
    account.time.at += HOUR / 2
    assert account.source().token(Cancel()) == token
    account.time.at += HOUR
    assert account.source().token(Cancel()) != token
    assert account.renewals == 2
    assert not account.entry().refresh_token


def test_a_token_that_was_refused_is_not_used_again(saved: Saved) -> None:
    account = saved()
    source, other = account.source(), account.source()
    token = source.token(Cancel())
    assert other.token(Cancel()) == token
    source.refuse(token)
    assert source.token(Cancel()) != token
    assert account.renewals == 2


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0])
def test_a_clock_set_by_a_day_costs_a_renewal_and_no_more(saved: Saved, off: float) -> None:
    account = saved()
    source = account.source()
    source.token(Cancel())
    account.time.at += off
    again = source.token(Cancel())
    assert source.token(Cancel()) == again == Secret(account.service.access[-1])
    assert account.renewals == 2


def test_a_keyring_that_is_locked_at_refresh_asks_nobody(saved: Saved) -> None:
    account = saved()
    account.credentials.failing = {"get"}
    assert failure_of(account.source()) == ("settings.secret_unavailable", "missing")
    assert account.renewals == 0
    account.credentials.failing = set()
    assert account.source().token(Cancel())


def test_a_token_that_can_not_be_kept_is_not_used_and_not_forgotten(saved: Saved) -> None:
    account = saved()
    source = account.source()
    account.credentials.failing = {"set"}
    for _ in range(2):
        assert failure_of(source) == ("settings.secret_unavailable", "missing")
    assert account.renewals == 1
    account.credentials.failing = set()
    assert source.token(Cancel()) == Secret(account.service.access[-1])
    assert account.entry().refresh_token == Secret(account.service.refresh)
    assert account.renewals == 1


def test_what_could_not_be_kept_is_dropped_once_somebody_signed_in_again(saved: Saved) -> None:
    account = saved()
    source = account.source()
    account.credentials.failing = {"set"}
    failure_of(source)
    account.credentials.failing = set()
    access = account.entry().access_token
    assert access is None
    fresh = account.service.new_refresh_token()
    vault = SavedVault(account.store(), account.server)
    vault.keep(Grant(AccessToken(Secret("old"), 0.0, 1.0), Secret(fresh), Secret("")))
    assert source.token(Cancel()) == Secret(account.service.access[-1])
    assert account.renewals == 2


def test_without_a_keyring_an_application_has_its_tokens_in_memory(
    service: SignInService, link: ProviderLink, paths: Paths
) -> None:
    given = GivenSecrets(Secret("client secret"))
    store = SettingsStore(paths, UnattendedCredentials(given, FailingCredentials("get", "set")))
    settings = ServerSettings(
        host="mail.example.test",
        port=587,
        from_email=ANN,
        username=ANN,
        oauth=settings_of(service, OAuthFlow.APP),
    )
    stored = store.save_server(settings, Security.STARTTLS, Secret("client secret"))
    assert stored.server is not None
    assert settings.oauth is not None
    source = TokenSource(settings.oauth, ANN, SavedVault(store, stored.server), link)
    token = source.token(Cancel())
    assert source.token(Cancel()) == token
    assert len(service.requests) == 1


def test_another_secret_than_the_proven_one_is_sent_to_nobody(saved: Saved) -> None:
    account = saved(OAuthFlow.APP, "client secret", signed_in=False)
    key = account.server.key
    entry = account.entry()
    account.credentials.set(key, replace(entry, secret=Secret("another")).write())
    assert failure_of(account.source())[0] == "settings.secret_differs"
    assert account.renewals == 0


def test_a_rotation_that_was_cut_is_told_apart(saved: Saved) -> None:
    account = saved()

    def cut(request: Request) -> Reply:
        account.service.refresh = "rotated, and never kept"
        raise ConnectionAbortedError  # the program is killed before the answer comes

    account.service.replies["/token"] = cut
    assert failure_of(account.source())[0] == "oauth.unreachable"
    account.service.replies.clear()
    assert failure_of(account.source()) == ("auth.sign_in_again", "lost")


def test_a_service_that_was_away_is_no_lost_rotation(saved: Saved) -> None:
    account = saved()
    account.service.replies["/token"] = Reply(503)
    assert failure_of(account.source()) == ("oauth.unreachable", "server_error")
    account.service.replies.clear()
    assert account.source().token(Cancel())
    account.service.replies["/token"] = refusal("invalid_grant")
    account.time.at += HOUR
    assert failure_of(account.source()) == ("auth.sign_in_again", None)


def test_who_waits_for_another_process_can_be_cancelled(saved: Saved) -> None:
    account = saved()
    cancel = Cancel()
    vault = SavedVault(account.store(), account.server)
    with vault.exclusively(Cancel()):
        threading.Timer(0.1, cancel.cancel).start()
        with pytest.raises(CancelledError):
            account.source().token(cancel)
    assert account.source().token(Cancel())


def test_what_is_not_saved_lives_in_memory(service: SignInService, link: ProviderLink) -> None:
    vault = OwnVault(KeyringEntry(Secret(""), b"", Secret(service.new_refresh_token())))
    source = TokenSource(settings_of(service, OAuthFlow.BROWSER), ANN, vault, link)
    token = source.token(Cancel())
    assert vault.read().refresh_token == Secret(service.refresh)
    source.refuse(token)
    assert source.token(Cancel()) != token
    assert len(service.requests) == 2


def lifetime_after_a_use(account: Account, seconds: float, **told: object) -> Lifetime | None:
    """Let that much time pass, and return what is kept of the sign-in's end after its next use."""
    account.time.at += seconds
    account.service.gives = told
    assert account.source().token(Cancel())
    return account.entry().refresh_lifetime


def test_an_end_that_stays_is_kept_as_it_was_told_first(saved: Saved) -> None:
    account = saved()
    begin = account.time.at
    first = lifetime_after_a_use(account, 0, refresh_token_expires_in=604_799)
    assert first == Lifetime(begin, begin + 604_799)
    for hours in range(2, 8, 2):
        left = 604_799 - hours * 3600 + hours  # told to the second, at most
        assert lifetime_after_a_use(account, 7200, refresh_token_expires_in=left) == first


def test_an_end_that_each_use_extends_begins_anew(saved: Saved) -> None:
    account = saved()
    begin = account.time.at
    for times in range(3):
        after = lifetime_after_a_use(account, 7200, refresh_expires_in=86_400)
        assert after is not None
        assert after.since == begin + 7200 * (times + 1)


def test_what_is_not_told_of_a_new_token_is_not_known(saved: Saved) -> None:
    account = saved()
    assert lifetime_after_a_use(account, 0, refresh_token_expires_in=604_799)
    assert lifetime_after_a_use(account, 7200) is None


def test_a_token_that_stays_keeps_its_end(saved: Saved) -> None:
    account = saved()
    first = lifetime_after_a_use(account, 0, refresh_token_expires_in=604_799)
    account.service.replies["/token"] = Reply(content={"access_token": "a", "expires_in": 60})
    assert lifetime_after_a_use(account, 7200) == first
