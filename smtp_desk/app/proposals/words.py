"""The words for questions, their results, and how sure a proposal is."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.oauth import OAuthProvider
from smtp_desk.core.settings import Security
from smtp_desk.discovery.candidates import Asked, Candidate, SearchResult, Source

SOURCES: Final = {
    Source.PROVIDER: "Known providers",
    Source.AUTOCONFIG: "The domain’s mail configuration",
    Source.WELL_KNOWN: "Mail configuration on the domain’s website",
    Source.ISPDB: "Mozilla’s database of providers",
    Source.MX: "The domain’s incoming mail server (MX)",
    Source.SRV: "Servers listed in DNS (SRV)",
    Source.GUESS: "Common server name",
}

_SURE: Final = {
    Source.PROVIDER: "known provider",
    Source.AUTOCONFIG: "published by the domain",
    Source.WELL_KNOWN: "published on the domain’s website",
    Source.ISPDB: "listed by Mozilla",
    Source.MX: "likely: this provider receives the domain’s mail",
    Source.SRV: "listed in DNS",
    Source.GUESS: "a guess: a server with this name has a valid certificate",
}
_ONLY_DNS: Final = (
    "This server is outside your domain and only DNS points to it, which can be forged. "
    "Check with your mail administrator before you enter a password."
)

_ENDS: Final = "{name} shuts down on {day}. Choose another service."
_NO_FIGURES: Final = "no figures found"
_BY_AGREEMENT: Final = "OAuth 2.0 by agreement with the provider"

_RESULTS: Final = {
    SearchResult.FOUND: "Found.",
    SearchResult.NOTHING: "Nothing found.",
    SearchResult.NO_ANSWER: "No answer in time.",
    SearchResult.UNREACHABLE: "The server can’t be reached.",
    SearchResult.UNTRUSTED: "Not used: the server’s certificate or encryption can’t be trusted.",
    SearchResult.DNS_FAILED: "DNS doesn’t answer right now.",
    SearchResult.NOT_HTTP: "The answer isn’t a complete web page.",
    SearchResult.HTTP_STATUS: "The server refused with status {detail}.",
    SearchResult.TOO_LARGE: "Not used: it’s larger than 64 KiB.",
    SearchResult.REDIRECTED_TO_HTTP: "Not followed: it redirects to an unencrypted page.",
    SearchResult.BAD_REDIRECT: "Not followed: it redirects to an address that isn’t valid.",
    SearchResult.TOO_MANY_REDIRECTS: "Not followed: it redirects more than 3 times.",
    SearchResult.NOT_XML: "It isn’t a mail configuration (not XML).",
    SearchResult.ENTITIES: "Not used: it declares XML entities or a document type.",
    SearchResult.OTHER_XML: "It isn’t a mail configuration (its root is “{detail}”).",
    SearchResult.NO_SERVER: "It lists no usable server for sending.",
    SearchResult.PLAINTEXT_ONLY: "Not used: it lists only servers without encryption.",
    SearchResult.UNKNOWN_SIGN_IN: (
        "Its servers require a sign-in method that SMTP Desk doesn’t support."
    ),
    SearchResult.TAKES_NO_MAIL: "The domain says it doesn’t accept mail.",
    SearchResult.OTHER_PROVIDER: "SMTP Desk doesn’t know the provider of {detail}.",
    SearchResult.NO_SERVICE: "The domain says it doesn’t offer this service.",
    SearchResult.BAD_RECORD: "Not used: the record names {detail}.",
    SearchResult.PUBLIC_SUFFIX: "This domain belongs to a registry. Nobody has a mailbox there.",
    SearchResult.IP_LITERAL: (
        "The address contains an IP address, and settings aren’t published for those."
    ),
}

_SIGN_IN: Final = {
    SignIn.PASSWORD: "password",
    SignIn.APP_PASSWORD: "app password",
    SignIn.OAUTH: "OAuth 2.0",
    SignIn.API_KEY: "API key",
}

_SECRETS: Final = {
    SignIn.PASSWORD: "a password",
    SignIn.APP_PASSWORD: "an app password",
    SignIn.API_KEY: "an API key",
}
OAUTH_PROVIDERS: Final[Mapping[str, str]] = {
    OAuthProvider.MICROSOFT: "Microsoft",
    OAuthProvider.GOOGLE: "Google",
}
SECURITY: Final = {Security.TLS: "TLS from the start", Security.STARTTLS: "STARTTLS"}


CANCELLED: Final = "The search was cancelled."
NOTHING_FOUND: Final = "No server found. Enter the values from your mail administrator or provider."
OTHER_ADDRESS: Final = "The From email was changed during the search. Search again."

_NEXT: Final = {
    SignIn.PASSWORD: "Filled in. Now enter the password.",
    SignIn.APP_PASSWORD: "Filled in. Now enter an app password, not the account’s own password.",
    SignIn.API_KEY: "Filled in. Now enter the API key as the password.",
    SignIn.OAUTH: "Filled in. This provider doesn’t accept passwords. Choose an OAuth 2.0 sign-in "
    "under Credential.",
}
_REGISTER: Final = (
    "Filled in. Now register the application as the guide below shows, enter its client ID, and "
    "send a test email, which opens the sign-in."
)
_NO_SIGN_IN: Final = "Filled in. You don’t need to sign in. Now send a test email."


def next_step(candidate: Candidate, *, by_oauth: bool = False) -> str:
    """Return what to do once a candidate was filled in, with or without its OAuth 2.0."""
    if by_oauth:
        return _REGISTER
    ways = [way for way in candidate.sign_in if way is not SignIn.OAUTH] or candidate.sign_in
    return _NEXT[ways[0]] if ways else _NO_SIGN_IN


def result_text(asked: Asked) -> str:
    """Return the result of a question, and the addresses it went through."""
    if asked.result is None:
        return "Asking…"
    text = _RESULTS[asked.result].format(detail=asked.detail)
    return " ".join((text, *(f"Redirected to {url}" for url in asked.redirects)))


def sureness(candidate: Candidate) -> str:
    """Return where a candidate comes from, and so how sure it is."""
    return _SURE[candidate.source]


def warning(candidate: Candidate) -> str:
    """Return what to be careful about, or ""."""
    told = [_ONLY_DNS] if candidate.only_dns else []
    if candidate.known is not None and (day := candidate.known.facts.get("ends")):
        told.append(_ENDS.format(name=candidate.known.name, day=day))
    return " ".join(told)


def sign_in_text(candidate: Candidate) -> str:
    """Return what the provider accepts to sign in."""
    if not candidate.sign_in:
        return "none: the server recognizes your network"
    agreed = candidate.known is not None and "oauth_by_agreement" in candidate.known.facts
    names = {**_SIGN_IN, SignIn.OAUTH: _BY_AGREEMENT} if agreed else _SIGN_IN
    text = " or ".join(names[way] for way in candidate.sign_in)
    return f"{text} ({candidate.url})" if candidate.url else text


def secret_text(candidate: Candidate) -> str:
    """Return what a person enters to sign in without OAuth 2.0, such as "a password", or ""."""
    return next((_SECRETS[way] for way in candidate.sign_in if way in _SECRETS), "")


def limits_text(candidate: Candidate) -> str:
    """Return how much one account may send, and the page to read; "" for an unknown provider."""
    if candidate.known is None:
        return ""
    limits = candidate.known.limits
    return f"{limits.text or _NO_FIGURES} ({limits.pages[0]})"
