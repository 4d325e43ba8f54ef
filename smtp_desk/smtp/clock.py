"""Is a certificate out of date, or this computer's clock wrong: what else tells the time.

A refused certificate alone proves nothing. The clock is named only where a second,
independent fact contradicts it in the same direction.
"""

import email.utils
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from smtp_desk.core.stages import Facts, Json

OUT_OF_DATE: Final = ("tls.not_yet_valid", "tls.expired")
"""The failures that a wrong clock can bring about."""
_A_DAY: Final = timedelta(days=1)
"""Less than this is no evidence: time zones are told wrongly too."""
_DATE: Final = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: [+-]\d{4}\b)?")


def clock_evidence(facts: Facts, banner: Json, installed: datetime | None) -> dict[str, Json]:
    """Return what contradicts this computer's clock; empty where nothing does.

    Args:
        facts: Of a failure `OUT_OF_DATE`: `clock`, `chain`, and `begins` or `since`.
        banner: The server's greeting; many end it with their date.
        installed: When the newest of this program's files was written, if that is known.

    Returns:
        `clock_wrong` (true) and the evidence, each a date: `server_date` of the greeting,
        `program_date`, and `other_begins` of another certificate of the chain, made on
        another day and not yet valid either.
    """
    clock = _moment(facts.get("clock"))
    if clock is None:
        return {}
    evidence: dict[str, Json] = {}
    begins, since = _moment(facts.get("begins")), _moment(facts.get("since"))
    said = date_in(banner) if isinstance(banner, str) else None
    if begins is not None:
        if said is not None and said > clock + _A_DAY:
            evidence["server_date"] = said.date().isoformat()
        if installed is not None and installed > clock + _A_DAY:
            evidence["program_date"] = installed.date().isoformat()
        if other := _other_beginning(facts, begins, clock):
            evidence["other_begins"] = other.date().isoformat()
    elif since is not None and said is not None and said < min(since, clock - _A_DAY):
        evidence["server_date"] = said.date().isoformat()
    return {"clock_wrong": True, **evidence} if evidence else {}


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


def _other_beginning(facts: Facts, refused: datetime, clock: datetime) -> datetime | None:
    chain = facts.get("chain")
    for each in chain if isinstance(chain, list) else ():
        begins = _moment(each.get("not_before")) if isinstance(each, dict) else None
        if begins is not None and begins > clock and abs(begins - refused) >= _A_DAY:
            return begins
    return None


def _moment(value: Json) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
