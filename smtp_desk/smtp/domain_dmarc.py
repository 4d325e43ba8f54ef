"""DMARC (RFC 7489, 9989): the record that applies to a domain, and whether it is valid.

Judged by checkdmarc; see `domain_spf` for how it is used.
"""

from typing import Final

import checkdmarc.dmarc  # type: ignore[import-untyped]
import dns.resolver

from smtp_desk.core.reply import decode
from smtp_desk.smtp.domain_dns import InvalidRecordError, Questions

_VERSION: Final = b"v=dmarc1"


class _Nobody:
    """Answers that there is nothing: where reports go is not looked into."""

    lifetime = 1.0

    def resolve(self, *_: object, **__: object) -> dns.resolver.Answer:
        """Find nothing."""
        raise dns.resolver.NoAnswer


def dmarc_records(questions: Questions, domain: str) -> list[str]:
    """Return the DMARC records at the domain itself, as far as they look like such.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    texts = questions.texts(f"_dmarc.{domain}")
    return [decode(text) for text in texts if text.lstrip().lower().startswith(_VERSION)]


def find_dmarc(questions: Questions, domain: str) -> str:
    """Return the valid record that applies to the domain, its own or of a domain above it.

    Returns:
        The record; "" where there is none.

    Raises:
        InvalidRecordError: It is not valid, or there are several.
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    own = dmarc_records(questions, domain)
    if len(own) > 1:
        raise InvalidRecordError(f"the domain has {len(own)} DMARC records, one is allowed")
    if own and not own[0].isascii():
        raise InvalidRecordError("it holds characters that are not ASCII")
    try:
        found = checkdmarc.dmarc.query_dmarc_record(
            domain, resolver=questions, ignore_unrelated_records=True
        )
        checkdmarc.dmarc.parse_dmarc_record(
            found["record"], found["location"], resolver=_Nobody(), ignore_unrelated_records=True
        )
    except checkdmarc.dmarc.DMARCRecordNotFound as error:
        if own:
            raise InvalidRecordError("“v=DMARC1” is to be followed by a semicolon") from error
        above = domain.partition(".")[2]
        if "." in above and not questions.exists(domain):
            # The library looks no further where there is no such domain; receivers do.
            return find_dmarc(questions, above)
        return ""
    except checkdmarc.dmarc.DMARCError as error:
        raise InvalidRecordError(str(error).removeprefix("Error: ")) from error
    return str(found["record"])
