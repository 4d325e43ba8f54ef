"""The name in a certificate, as a person would say it."""

import re
from typing import Final

_PART: Final = re.compile(r"\s*(?P<kind>[A-Za-z][A-Za-z0-9-]*|[0-9.]+)=(?P<value>(?:\\.|[^\\,+])*)")
_ESCAPED: Final = re.compile(r"\\(.)")


def plain_name(name: str) -> str:
    """Return the common name and, in brackets, the organisation: "Example CA (Example Ltd)".

    Args:
        name: As RFC 4514 writes it: "CN=Example CA,O=Example Ltd"; what has neither of both,
            or is no such name, is returned as it is.
    """
    said: dict[str, list[str]] = {"CN": [], "O": []}
    at = 0
    while (part := _PART.match(name, at)) is not None:
        said.setdefault(part["kind"].upper(), []).append(_ESCAPED.sub(r"\1", part["value"]))
        at = part.end() + 1
    common, organisation = (", ".join(filter(None, said[kind])) for kind in ("CN", "O"))
    if at <= len(name) or not (common or organisation):
        return name
    return f"{common} ({organisation})" if common and organisation else common or organisation
