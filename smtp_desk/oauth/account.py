"""Which account signed in, as the ID token or else the access token says.

The tokens aren't verified, since they came from the token endpoint itself, by TLS (OpenID Connect
Core 1.0, 3.1.3.7). Nothing is known about an opaque token.
"""

from dataclasses import dataclass

from smtp_desk.core.findings.token_claims import UnreadableTokenError, read_token
from smtp_desk.core.secret import Secret
from smtp_desk.oauth.client import Grant


@dataclass(frozen=True, slots=True)
class Account:
    """An account; each attribute is "" if it isn't known.

    Attributes:
        issuer: The issuer.
        subject: The issuer's permanent identifier of it.
        name: Its name for people, usually an email address.
    """

    issuer: str = ""
    subject: str = ""
    name: str = ""


def account_of(grant: Grant) -> Account:
    """Return the account that signed in."""
    known = [_read(token) for token in (grant.identity, grant.access.secret)]
    return next((each for each in known if each.issuer), Account())


def _read(token: Secret) -> Account:
    try:
        claims = read_token(token)
    except UnreadableTokenError:
        return Account()
    if claims is None or not claims.issuer or not claims.subject:
        return Account()
    return Account(claims.issuer, claims.subject, next(iter(claims.accounts), ""))
