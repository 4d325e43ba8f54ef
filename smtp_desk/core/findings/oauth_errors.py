"""What the refusal of a sign-in service means (RFC 6749, 4.1.2.1 and 5.2; RFC 8628, 3.5).

The most exact evidence decides: Microsoft's number, then the words of Google and others, then the
standard's error code, which each service uses in its own way.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthProvider, OAuthSettings, is_guid
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json, Stage


class TokenStep(StrEnum):
    """What a sign-in service was asked for: the same refusal means something else at another step.

    AUTHORIZE is the page that a person sees, CODE the exchange of its code, REFRESH a new
    access token, CLIENT a token for the application itself (RFC 6749, 4.4), ASSERTION one for a
    service account (RFC 7523), DEVICE polling with a device code.
    """

    AUTHORIZE = "authorize"
    CODE = "code"
    REFRESH = "refresh"
    CLIENT = "client"
    ASSERTION = "assertion"
    DEVICE = "device"


class _Cause(NamedTuple):
    code: str
    reason: str = ""


MAX_WORDS: Final = 500
"""Characters of a service's words that are kept."""
_MAX_TEXT: Final = 2000

_AGAIN: Final = "auth.sign_in_again"
_CLIENT: Final = "oauth.client_invalid"
_CONSENT: Final = "oauth.consent_missing"
_DENIED: Final = "oauth.denied"
_BLOCKED: Final = "oauth.blocked_by_policy"
_ACCOUNT: Final = "oauth.account_mismatch"
_SETTINGS: Final = "oauth.misconfigured"
_UNREACHABLE: Final = "oauth.unreachable"
_FAILED: Final = "oauth.failed"

# What these mean depends on the step; they are in no facts.
_GRANT: Final = "grant_ended"
_UNAUTHORIZED: Final = "unauthorized"

_NUMBERS: Final[Mapping[_Cause, tuple[int, ...]]] = {
    _Cause(_CLIENT, "application_unknown"): (70001, 700011, 700016),
    _Cause(_CLIENT, "application_disabled"): (7000112, 1000031),
    _Cause(_CLIENT, "secret_wrong"): (70002, 7000215),
    _Cause(_CLIENT, "secret_expired"): (7000222,),
    _Cause(_CLIENT, "secret_missing"): (7000216, 7000218),
    _Cause(_CLIENT, "secret_unexpected"): (700025,),
    _Cause(_CLIENT, "certificate"): (50012, 50048, 700026, 700027, 700030),
    _Cause(_FAILED, "clock"): (700024, 500133),
    _Cause(_CONSENT): (65001, 70020, 700020, 90008),
    _Cause(_CONSENT, "admin"): (90093, 90094, 90095, 90099, 900941, 7000229),
    _Cause(_CONSENT, "permission_missing"): (65005, 650056, 650057),
    _Cause(_DENIED, "declined"): (65004, 90120),
    _Cause(_DENIED, "code_expired"): (54005, 70018, 70019, 90119),
    _Cause(_DENIED, "other_attempt"): (50148, 501481, 700005),
    _Cause(_BLOCKED, "conditional_access"): (
        *(50005, 50131, 50158, 50161, 51006, 53002, 53003, 53004, 53009, 53010, 53011),
        *(530032, 530034, 530035, 500021, 500022, 500212, 500213, 90123),
    ),
    _Cause(_BLOCKED, "device"): (50097, 50129, 50155, 50187, 53000, 53001, 530003, 135011),
    _Cause(_BLOCKED, "not_assigned"): (50105,),
    _Cause(_BLOCKED, "second_factor"): (
        *(50072, 50074, 50076, 50078, 50079, 50088, 50125, 50177, 50178, 50203),
    ),
    _Cause(_BLOCKED, "account_disabled"): (50053, 50057, 500571, 500341, 80012),
    _Cause(_BLOCKED, "password_expired"): (50055, 50135, 50144),
    _Cause(_ACCOUNT, "other_tenant"): (
        *(16000, 16003, 50014, 50020, 50034, 51004, 90072, 500200, 500207, 500208, 700056),
    ),
    _Cause(_SETTINGS, "redirect"): (50011, 70004, 500112, 500113, 700009, 900971, 9002326),
    _Cause(_SETTINGS, "tenant"): (
        *(50059, 50128, 50194, 90002, 90019, 90038, 90051, 90124, 90130, 900382, 900432),
        *(9001023, 9002332, 7000012),
    ),
    _Cause(_SETTINGS, "scope"): (
        *(28002, 28003, 50001, 500011, 70011, 700022, 700023, 650052, 650053, 650054, 901002),
    ),
    _Cause(_SETTINGS, "grant"): (70003, 70005, 70007, 700051, 700054, 7000114, 7000113),
    _Cause(_SETTINGS): (90004, 90014, 90023, 90100, 900144, 9002313, 9002325, 9002327),
    _Cause(_AGAIN, _GRANT): (70000, 70008, 50089, 50085, 50139, 700084),
    _Cause(_AGAIN, "unused"): (700082,),
    _Cause(_AGAIN, "password_changed"): (50132, 50133),
    _Cause(_AGAIN, "revoked"): (50173,),
    _Cause(_AGAIN, "sign_in_frequency"): (70043, 70044),
    _Cause(_AGAIN, "device_code"): (530036,),
    _Cause(_UNREACHABLE, "server_error"): (
        *(50000, 50033, 50087, 70012, 80001, 80002, 80005, 80007, 80014, 90006, 90012, 90024),
        *(90033, 90036, 90090, 90091),
    ),
    _Cause(_UNREACHABLE, "busy"): (50166, 50196, 90055),
}
"""By AADSTS number, from Microsoft's list of Entra error codes and its answers to questions."""
_BY_NUMBER: Final = {number: cause for cause, numbers in _NUMBERS.items() for number in numbers}

_WORDS: Final = tuple(
    (re.compile(words, re.IGNORECASE), cause)
    for words, cause in (
        (r"invalid jwt.*(?:timeframe|short-lived)|valid time range", _Cause(_FAILED, "clock")),
        (r"\biat\b.*\bexp\b|(?:used|issued) (?:too early|in the future)", _Cause(_FAILED, "clock")),
        (r"invalid jwt signature|invalid signature for token", _Cause(_CLIENT, "key")),
        (
            r"(?:email|user ?id|account|subject)\b.*\b(?:not found|unknown)",
            _Cause(_SETTINGS, "account"),
        ),
        (r"(?:not a valid|invalid) email or user ?id", _Cause(_SETTINGS, "account")),
        (
            r"unauthorized to retrieve access tokens|not authorized for any of the scopes",
            _Cause(_CONSENT, "delegation"),
        ),
        (r"\brapt\b|_rapt|rapt_", _Cause(_AGAIN, "sign_in_frequency")),
        (r"token (?:has been|was|is) (?:expired|revoked)", _Cause(_AGAIN, _GRANT)),
        (
            r"client (?:was|is|has been) (?:deleted|disabled)",
            _Cause(_CLIENT, "application_disabled"),
        ),
        (
            r"(?:client|application) (?:\S+ )?(?:was |is )?(?:not found|unknown|does not exist)",
            _Cause(_CLIENT, "application_unknown"),
        ),
        (r"(?:unknown|no such) (?:client|application)", _Cause(_CLIENT, "application_unknown")),
        (
            r"client[_ ]secret.*\bmissing|missing.*client[_ ]secret",
            _Cause(_CLIENT, "secret_missing"),
        ),
        (
            r"client[_ ]secret.*\bexpired|expired client[_ ]secret",
            _Cause(_CLIENT, "secret_expired"),
        ),
        (
            r"client[_ ]secret.*\b(?:invalid|incorrect|wrong|mismatch)",
            _Cause(_CLIENT, "secret_wrong"),
        ),
        (
            r"(?:invalid|incorrect|wrong|bad) client[_ ](?:secret|credentials)",
            _Cause(_CLIENT, "secret_wrong"),
        ),
        (r"redirect[_ ]ur[il]", _Cause(_SETTINGS, "redirect")),
        (r"pkce|code[_ ]verifier", _Cause(_DENIED, "other_attempt")),
        (r"(?:second|multi)[- ]?factor|\bmfa\b", _Cause(_BLOCKED, "second_factor")),
        (r"admin\w* (?:consent|approval)", _Cause(_CONSENT, "admin")),
        (r"grant[_ ]type", _Cause(_SETTINGS, "grant")),
        (r"scopes? .*\b(?:invalid|unknown|not)\b|invalid scope", _Cause(_SETTINGS, "scope")),
    )
)
"""By words, of Google first; the first that stands in the description counts."""

_ERRORS: Final[Mapping[str, _Cause]] = {
    "access_denied": _Cause(_DENIED, "declined"),
    "authorization_declined": _Cause(_DENIED, "declined"),
    "expired_token": _Cause(_DENIED, "code_expired"),
    "bad_verification_code": _Cause(_DENIED, "code_expired"),
    "invalid_grant": _Cause(_AGAIN, _GRANT),
    "invalid_client": _Cause(_CLIENT),
    "deleted_client": _Cause(_CLIENT, "application_disabled"),
    "disabled_client": _Cause(_CLIENT, "application_disabled"),
    "unauthorized_client": _Cause(_SETTINGS, _UNAUTHORIZED),
    "unsupported_grant_type": _Cause(_SETTINGS, "grant"),
    "unsupported_response_type": _Cause(_SETTINGS, "grant"),
    "invalid_scope": _Cause(_SETTINGS, "scope"),
    "invalid_target": _Cause(_SETTINGS, "scope"),
    "invalid_resource": _Cause(_SETTINGS, "scope"),
    "redirect_uri_mismatch": _Cause(_SETTINGS, "redirect"),
    "invalid_request": _Cause(_SETTINGS),
    "consent_required": _Cause(_CONSENT),
    "admin_policy_enforced": _Cause(_BLOCKED),
    "interaction_required": _Cause(_BLOCKED, "second_factor"),
    "org_internal": _Cause(_ACCOUNT, "other_tenant"),
    "server_error": _Cause(_UNREACHABLE, "server_error"),
    "temporarily_unavailable": _Cause(_UNREACHABLE, "busy"),
    "rate_limit_exceeded": _Cause(_UNREACHABLE, "busy"),
    "slow_down": _Cause(_UNREACHABLE, "busy"),
}

# A person can give at a new sign-in what a refresh can't.
_HEALED_BY_SIGNING_IN: Final = frozenset({"second_factor", "password_expired"})
# Where no person is asked, nobody declines.
_UNATTENDED: Final[Mapping[TokenStep, Mapping[_Cause, _Cause]]] = {
    TokenStep.ASSERTION: {
        _Cause(_CLIENT): _Cause(_CLIENT, "key"),
        _Cause(_DENIED, "declined"): _Cause(_CONSENT, "delegation"),
    },
    TokenStep.CLIENT: {_Cause(_DENIED, "declined"): _Cause(_CONSENT, "admin")},
}
_NUMBER: Final = re.compile(r"AADSTS(\d{4,8})")
_TRAILER: Final = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp): .*", re.DOTALL)


def redirect_host(provider: OAuthProvider) -> str:
    """Return the host of the redirect address (RFC 8252, 7.3) that the provider's form accepts.

    Microsoft's form refuses 127.0.0.1, and accepts localhost with any port.
    """
    return "localhost" if provider is OAuthProvider.MICROSOFT else "127.0.0.1"


def oauth_context(settings: OAuthSettings | None) -> dict[str, Json]:
    """Return the facts that findings' texts need about a sign-in; none for a password."""
    if settings is None:
        return {}
    return {
        "oauth_provider": str(settings.provider),
        "oauth_flow": str(settings.flow),
        "client_id": settings.client_id,
        "tenant": settings.tenant,
        "scope": " ".join(settings.scopes),
        "token_host": urlsplit(settings.token_url).hostname,
        "redirect": f"http://{redirect_host(settings.provider)}",
    }


def oauth_failure(step: TokenStep, answer: Mapping[str, object]) -> SmtpFailure:
    """Return what the refusal of a sign-in service means.

    Its facts are `step`, `error` as the standard names it, `error_code` (Microsoft's number,
    else the same), `words`, and `reason`, by which the texts of the finding choose.

    Args:
        step: What was asked.
        answer: The JSON of a token endpoint, or the parameters of a redirect. Secrets that
            it may echo are hidden already.
    """
    error, description = _text(answer, "error"), _text(answer, "error_description")
    numbers = list(_numbers(answer, description))
    known = [_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER]
    said = f"{description} {_text(answer, 'error_subtype')}"
    known += [cause for words, cause in _WORDS if words.search(said)]
    known.append(_ERRORS.get(error, _Cause(_FAILED)))
    code, reason = _at(step, known[0])
    facts: dict[str, Json] = {
        "step": str(step),
        "error": visible(error),
        "error_code": f"AADSTS{numbers[0]}" if numbers else visible(error),
        "words": _words(description) or visible(error),
        "reason": reason,
        "correlation_id": _correlation(answer),
    }
    known_facts = {name: value for name, value in facts.items() if value}
    return SmtpFailure(Stage.TOKEN, code, facts=known_facts)


def _at(step: TokenStep, cause: _Cause) -> _Cause:
    """Return what a cause means at a step."""
    refreshing = step is TokenStep.REFRESH
    if refreshing and cause.code == _BLOCKED and cause.reason in _HEALED_BY_SIGNING_IN:
        return _Cause(_AGAIN, cause.reason)
    if cause.code == _AGAIN and not refreshing:
        interactive = step in (TokenStep.CODE, TokenStep.DEVICE)
        return _Cause(_DENIED, "code_expired") if interactive else _Cause(_FAILED)
    if cause.reason == _GRANT:
        return _Cause(_AGAIN)
    if cause.reason == _UNAUTHORIZED:
        return _unauthorized(step)
    if step in _UNATTENDED:
        return _UNATTENDED[step].get(cause, cause)
    return cause


def _unauthorized(step: TokenStep) -> _Cause:
    if step is TokenStep.ASSERTION:
        return _Cause(_CONSENT, "delegation")
    # Once a person could sign in, the way is allowed: Google means the secret of another client.
    known = step in (TokenStep.CODE, TokenStep.REFRESH)
    return _Cause(_CLIENT) if known else _Cause(_SETTINGS, "grant")


def _numbers(answer: Mapping[str, object], description: str) -> Iterator[int]:
    codes = answer.get("error_codes")
    if isinstance(codes, list):
        yield from (code for code in codes if type(code) is int and 0 < code < 10**8)
    yield from (int(found[1]) for found in _NUMBER.finditer(description))


def _words(description: str) -> str:
    words = " ".join(_TRAILER.sub("", description).split())
    shown = visible(words)
    return shown if len(shown) <= MAX_WORDS else f"{shown[: MAX_WORDS - 1]}…"


def _correlation(answer: Mapping[str, object]) -> str:
    told = _text(answer, "correlation_id")
    return told if is_guid(told) else ""


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
