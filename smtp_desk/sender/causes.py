"""Findings for causes that are known by their code alone, such as the reason of a rest."""

from smtp_desk.core.catalogue import Catalogue
from smtp_desk.core.findings import Finding
from smtp_desk.core.stages import Facts, Stage

_UNKNOWN = "session.internal_error"
_STAGES = frozenset(Stage)


def cause(catalogue: Catalogue, code: str, facts: Facts | None = None) -> Finding:
    """Return the finding `code`; a code that is unknown by now reads as a fault of our own."""
    prefix = code.partition(".")[0]
    stage = Stage(prefix) if prefix in _STAGES else Stage.CONNECT
    return catalogue.warning(code if code in catalogue.codes else _UNKNOWN, stage, facts or {})
