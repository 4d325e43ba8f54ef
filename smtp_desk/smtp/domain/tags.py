"""Lists of `name=value;` as DMARC, DKIM, MTA-STS and TLS reporting write them (RFC 6376, 3.2)."""

import re
from typing import Final

from smtp_desk.core.reply import decode_text
from smtp_desk.smtp.domain.facts import InvalidRecordError

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VALUE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e\t\r\n]*")
_LONGEST_SHOWN: Final = 40


def read_tags(record: bytes) -> dict[str, str]:
    """Return the tags of a record in order, with names in lower case and spaces stripped.

    Raises:
        InvalidRecordError: It isn't such a list.
    """
    if not record.isascii():
        raise InvalidRecordError("it has characters that aren’t ASCII")
    *parts, last = record.decode("ascii").split(";")
    if last.strip():
        parts.append(last)
    tags: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidRecordError(f"“{_cut(part.strip())}” isn’t in the form name=value")
        if name.lower() in tags:
            raise InvalidRecordError(f"the tag “{_cut(name)}” appears twice")
        tags[name.lower()] = value
    return tags


def versioned(records: list[bytes], version: str) -> tuple[list[bytes], str]:
    """Return the records of this version, and what is wrong with others that seem meant as such.

    Args:
        records: All TXT records of a name.
        version: For example "DMARC1"; case-sensitive.
    """
    right = re.compile(rb"[vV][ \t]*=[ \t]*" + version.encode() + rb"[ \t]*(?:;|$)")
    found = [record for record in records if right.match(record)]
    meant = re.compile(rb"\s*v\s*=\s*" + version.encode(), re.IGNORECASE)
    wrong = next((each for each in records if meant.match(each) and each not in found), None)
    return found, "" if wrong is None else _why(wrong, version)


def _why(record: bytes, version: str) -> str:
    if record[:1].isspace():
        return "there is whitespace before its start"
    if version.encode() not in record:
        return f"its version must be written exactly “{version}”"
    return f"“v={version}” must be followed by a semicolon, not by “{_after(record, version)}”"


def _after(record: bytes, version: str) -> str:
    return _cut(decode_text(record).partition(version)[2])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
