"""What a domain says about mail sent to it: MTA-STS (RFC 8461), TLS reporting (RFC 8460)."""

import re
from typing import Final

from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import InvalidRecordError
from smtp_desk.smtp.domain.tags import read_tags, versioned

_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
_REPORT_TO: Final = re.compile(r"(?:mailto:[^\s,!;@]+@[^\s,!;@]+|https://[^\s,!;]+)", re.IGNORECASE)


def mta_sts(questions: Questions, domain: str) -> tuple[list[bytes], str]:
    """Return the MTA-STS record of a domain, if any, and what is wrong with it.

    The policy that it announces is on a web server and isn't fetched.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    return _read(questions.texts(f"_mta-sts.{domain}"), "STSv1", "id", _ID)


def tls_reporting(questions: Questions, domain: str) -> tuple[list[bytes], str]:
    """Return the record that says where reports of failed encryption go; as `mta_sts`."""
    return _read(questions.texts(f"_smtp._tls.{domain}"), "TLSRPTv1", "rua", _REPORT_TO)


def _read(
    texts: list[bytes], version: str, tag: str, form: re.Pattern[str]
) -> tuple[list[bytes], str]:
    records, fault = versioned(texts, version)
    if not records:
        return (texts if fault else []), fault
    if len(records) > 1:
        return records, f"there are {len(records)} records, but only one is allowed"
    try:
        value = read_tags(records[0]).get(tag, "")
    except InvalidRecordError as error:
        return records, str(error)
    if not all(form.fullmatch(each.strip()) for each in value.split(",")):
        return records, f"“{tag}={value[:40]}” isn’t valid" if value else f"it has no “{tag}=”"
    return records, ""
