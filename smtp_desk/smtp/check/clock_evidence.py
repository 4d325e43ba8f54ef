"""Is a certificate out of date, or this computer's clock wrong? Other evidence of the time.

A refused certificate alone proves nothing, and neither does the server's greeting: a server whose
own clock is wrong creates certificates and greetings with the same wrong date. This clock is blamed
only if evidence that doesn't depend on the server's clock contradicts it too.
"""

import email.utils
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from smtp_desk.core.stages import Facts, Json

OUT_OF_DATE: Final = ("tls.not_yet_valid", "tls.expired")
"""The failures that a wrong clock can bring about."""
_A_DAY: Final = timedelta(days=1)
"""Less than this is no evidence: time zones are told wrongly too."""
_Validity: TypeAlias = tuple[datetime, datetime]
"""The first and the last moment of a certificate."""
_DATE: Final = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: [+-]\d{4}\b)?")


def clock_evidence(facts: Facts, banner: Json, installed: datetime | None) -> dict[str, Json]:
    """Return the evidence against this computer's clock; empty where there is none.

    Args:
        facts: Of a failure `OUT_OF_DATE`: `clock`, `chain`, and `begins` or `since`.
        banner: The server's greeting; many end it with their date.
        installed: When the newest of this program's files was written, if that is known.

    Returns:
        `clock_wrong` (true) and the evidence, each a date: `server_date` of the greeting,
        `program_date`, and `other_begins` or `other_ends` of another certificate of the
        chain, made for other days and out of date too.
    """
    clock = _moment(facts.get("clock"))
    if clock is None:
        return {}
    begins, since = _moment(facts.get("begins")), _moment(facts.get("since"))
    said = date_in(banner) if isinstance(banner, str) else None
    chain = [*_chain(facts)]
    if begins is not None:
        evidence = _of_a_clock_behind(clock, begins, said, installed, chain)
    else:
        evidence = {} if since is None else _of_a_clock_ahead(clock, since, said, chain)
    dates: dict[str, Json] = {name: when.date().isoformat() for name, when in evidence.items()}
    return {"clock_wrong": True, **dates} if dates else {}


def _of_a_clock_behind(
    clock: datetime,
    begins: datetime,
    said: datetime | None,
    installed: datetime | None,
    chain: Sequence[_Validity],
) -> dict[str, datetime]:
    evidence = {}
    if installed is not None and installed > clock + _A_DAY:
        evidence["program_date"] = installed
    other = (first for first, _ in chain if first > clock and abs(first - begins) >= _A_DAY)
    if (begins_too := next(other, None)) is not None:
        evidence["other_begins"] = begins_too
    if evidence and said is not None and said > clock + _A_DAY:
        evidence["server_date"] = said
    return evidence


def _of_a_clock_ahead(
    clock: datetime, since: datetime, said: datetime | None, chain: Sequence[_Validity]
) -> dict[str, datetime]:
    # Nothing on this computer tells that its clock is ahead, so it takes both: a greeting of a
    # day when the whole chain was valid, and a second end that only a wrong clock has passed.
    if said is None or said >= clock - _A_DAY:
        return {}
    if not all(first <= said < last for first, last in chain):
        return {}
    other = (last for _, last in chain if last < clock and abs(last - since) >= _A_DAY)
    ended_too = next(other, None)
    return {} if ended_too is None else {"server_date": said, "other_ends": ended_too}


def date_in(banner: str) -> datetime | None:
    """Return the date that a greeting tells (RFC 5322, 3.3), UTC where it names no zone."""
    found = _DATE.search(banner)
    if found is None:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(found.group())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def installed_at(folder: Path = Path(__file__).parent.parent) -> datetime | None:
    """Return when the newest file of this program was written: no true clock is behind that."""
    times = []
    for path in folder.rglob("*.py"):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _chain(facts: Facts) -> Iterator[_Validity]:
    chain = facts.get("chain")
    for each in chain if isinstance(chain, list) else ():
        if isinstance(each, dict):
            first, last = _moment(each.get("not_before")), _moment(each.get("not_after"))
            if first is not None and last is not None:
                yield first, last


def _moment(value: Json) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
