"""The public key that a DKIM signature is checked with (RFC 6376, 3.6.1; RFC 8301, 8463)."""

import base64
import binascii
import re
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from smtp_desk.smtp.domain.facts import InvalidRecordError
from smtp_desk.smtp.domain.tags import read_tags

_VERSION: Final = "DKIM1"
_FEWEST_BITS: Final = 1024
_ENOUGH_BITS: Final = 2048
_ED25519_OCTETS: Final = 32
_SPACES: Final = re.compile(r"\s+")


def dkim_name(selector: str, domain: str) -> str:
    """Return the name of the record of a selector."""
    return f"{selector}._domainkey.{domain}"


def read_key(records: list[bytes]) -> tuple[str, ...]:
    """Read the one key record of a selector.

    Returns:
        What could be better about the key, although its signatures count.

    Raises:
        InvalidRecordError: No signature by this key counts.
    """
    if len(records) > 1:
        raise InvalidRecordError(f"there are {len(records)} records, but only one is allowed")
    tags = read_tags(records[0])
    if "v" in tags and (tags["v"] != _VERSION or next(iter(tags)) != "v"):
        raise InvalidRecordError(f"it must start with v={_VERSION}, or leave the version out")
    if "p" not in tags:
        raise InvalidRecordError("it has no key (p=)")
    if "email" not in _list(tags, "s", "*") and "*" not in _list(tags, "s", "*"):
        raise InvalidRecordError(f"its key isn’t meant for email (s={tags['s']})")
    if "sha256" not in _list(tags, "h", "sha256"):
        raise InvalidRecordError(f"it only allows hashes that receivers refuse (h={tags['h']})")
    text = _SPACES.sub("", tags["p"])
    if not text:
        raise InvalidRecordError("the key is revoked (p= is empty)")
    notes = _read_key(tags.get("k", "rsa").lower(), text)
    if "y" in _list(tags, "t", ""):
        notes += ("the record says DKIM is only being tested (t=y)",)
    return notes


def _read_key(kind: str, text: str) -> tuple[str, ...]:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRecordError("the key (p=) isn’t valid Base64") from error
    if kind == "ed25519":
        if len(octets) != _ED25519_OCTETS:
            raise InvalidRecordError(f"the Ed25519 key has {len(octets)} bytes instead of 32")
        return (
            ("many receivers can’t check Ed25519 signatures yet, so sign with an RSA key as well"),
        )
    if kind != "rsa":
        raise InvalidRecordError(f"receivers don’t support keys of type “{kind}” (k=)")
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidRecordError(
            "the key (p=) can’t be read, and part of it may be missing"
        ) from error
    if not isinstance(key, RSAPublicKey):
        raise InvalidRecordError("the key (p=) isn’t an RSA key, as the record says (k=)")
    if key.key_size < _FEWEST_BITS:
        raise InvalidRecordError(
            f"the RSA key has {key.key_size} bits, and receivers refuse less than {_FEWEST_BITS}"
        )
    if key.key_size < _ENOUGH_BITS:
        return (f"the RSA key has {key.key_size} bits, but {_ENOUGH_BITS} are recommended",)
    return ()


def _list(tags: dict[str, str], name: str, default: str) -> list[str]:
    return [each.strip().lower() for each in tags.get(name, default).split(":")]
