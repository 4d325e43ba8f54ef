"""Secrets whose repr hides them, and the keyring's entry for a server."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Final, Self, final

PROOF_KEY_BYTES: Final = 32
_MOST_SPARE: Final = 300.0
_CLOCK_SLACK: Final = 60.0
# No password holds a line break, so that none is taken for an entry.
_HEAD: Final = "smtp-desk 2\n"


@final
class Secret:
    """A password or token that is shown only by an explicit `reveal`.

    Equality is by value and in constant time. Secrets are neither hashable nor
    picklable, so that none becomes a key, or ends up in a cache or a file, by accident.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        self.__value: Final = value

    def reveal(self) -> str:
        """Return the secret itself; there is no other way to read it."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self.__value), _octets(other.__value))

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret can’t be pickled")


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The untouched password field: the secret that the keyring holds under `key`."""

    key: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token of OAuth 2.0, which works as a password for a limited time.

    Attributes:
        secret: The token.
        issued: When we got it, in seconds since 1970.
        until: When it expires, in seconds since 1970.
    """

    secret: Secret
    issued: float
    until: float

    @classmethod
    def of(cls, fields: Mapping[str, str | float]) -> Self:
        """Build it from what `fields` returned; raises `KeyError`, `TypeError` or `ValueError`."""
        token = Secret(str(fields["token"]))
        return cls(token, float(fields["issued"]), float(fields["until"]))

    def fields(self) -> Mapping[str, str | float]:
        """Return it in the form that a keyring entry contains."""
        return {"token": self.secret.reveal(), "issued": self.issued, "until": self.until}

    def is_fresh(self, now: float) -> bool:
        """Whether it remains valid for a while; never if the clock was set back since."""
        spare = min((self.until - self.issued) / 5, _MOST_SPARE)
        return self.issued - _CLOCK_SLACK <= now < self.until - spare


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a refresh token lasts, as its service told with it.

    Attributes:
        since: When it began, in seconds since 1970.
        until: When it ends, in seconds since 1970.
    """

    since: float
    until: float

    def then(self, told: "Lifetime") -> "Lifetime":
        """Return the lifetime after the service told of one anew.

        A later end means that each use extends it, so that it begins anew. Else a person has to
        sign in by an end that stays; what is left till then is told a little differently each time.
        """
        if told.until > self.until + _CLOCK_SLACK:
            return told
        if told.until >= self.until - _CLOCK_SLACK:
            return self
        return Lifetime(self.since, told.until)

    def is_half_over(self, now: float) -> bool:
        """Whether less is left than has passed."""
        return self.until - now <= now - self.since


@dataclass(frozen=True, slots=True)
class KeyringEntry:
    """The keyring's entry under the key that the settings file names.

    Attributes:
        secret: The password, or for OAuth 2.0 the client secret or private key; empty where
            there is none.
        proof_key: `PROOF_KEY_BYTES` random bytes that key the proof; empty in an entry of the
            first version, and where the machine supplies the secret.
        refresh_token: The refresh token of a person's sign-in by OAuth 2.0; empty without one.
        access_token: The latest access token, for all processes; None if there is none yet.
        refresh_lifetime: How long the refresh token lasts; None if the service didn't tell.
    """

    secret: Secret
    proof_key: bytes = field(default=b"", repr=False)
    refresh_token: Secret = field(default_factory=lambda: Secret(""))
    access_token: AccessToken | None = field(default=None, repr=False)
    refresh_lifetime: Lifetime | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: Secret) -> Self | None:
        """Read a keyring's text: an entry or a password alone; None for a damaged entry."""
        value = text.reveal()
        if not value.startswith(_HEAD):
            return cls(text)
        try:
            fields = json.loads(value[len(_HEAD) :])
            access, lifetime = fields.get("access_token"), fields.get("refresh_lifetime")
            return cls(
                Secret(str(fields["password"])),
                bytes.fromhex(fields["proof_key"]),
                Secret(str(fields.get("refresh_token", ""))),
                None if access is None else AccessToken.of(access),
                None if lifetime is None else Lifetime(*map(float, lifetime)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None

    def write(self) -> Secret:
        """Return the text that `parse` reads."""
        fields: dict[str, object] = {
            "password": self.secret.reveal(),
            "proof_key": self.proof_key.hex(),
        }
        if self.refresh_token:
            fields["refresh_token"] = self.refresh_token.reveal()
        if self.access_token is not None:
            fields["access_token"] = self.access_token.fields()
        if self.refresh_lifetime is not None:
            fields["refresh_lifetime"] = astuple(self.refresh_lifetime)
        return Secret(_HEAD + json.dumps(fields, ensure_ascii=False))


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
