"""What the DNS says about the From domain; only on request, and never a failure.

Only the DNS is asked. If the DNS didn't answer, a record is never called missing.
"""

from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.smtp.domain.facts import DkimKey, DomainFacts, DomainQuestion, Found, RecordStatus
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import abandonable

GRACE_SECONDS: Final = 3.0
"""How much longer than its deadline a look-up may take, to load the library and to read."""


def look_up(question: DomainQuestion, cancel: Cancel, deadline: Deadline) -> DomainFacts:
    """Ask the DNS about the domain of a From address; blocks until it has answered.

    Args:
        question: What to ask.
        cancel: Ends it within 100 ms.
        deadline: What isn't answered by then is unknown; the call returns at most
            `GRACE_SECONDS` later.

    Raises:
        CancelledError: Cancelled.
    """

    def work(_: str, __: float) -> DomainFacts:
        # Imported in this thread because it takes a while.
        from smtp_desk.smtp.domain.answers import Lookup  # noqa: PLC0415

        return Lookup(question, cancel, deadline).facts()

    patience = Deadline(deadline.at + GRACE_SECONDS, deadline.clock)
    try:
        return abandonable(work, question.domain, cancel, patience)
    except SmtpFailure:
        late = Found(RecordStatus.UNKNOWN, reason="no DNS server answered in time")
        return DomainFacts(
            domain=question.domain,
            exists=None,
            mx=late,
            spf=late,
            excludes_server=None,
            dkim=tuple(
                DkimKey(each.name, each.domain or question.domain, late)
                for each in question.selectors
            ),
            dmarc=late,
            mta_sts=late,
            tls_rpt=late,
        )
