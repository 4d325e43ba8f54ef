"""What a server's EHLO reply offers (RFC 5321, 4.1.1.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Extensions:
    """Offered extensions; words we do not know are kept and have no effect.

    Attributes:
        words: Parameters by keyword in upper case.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_lines(cls, texts: Iterable[bytes]) -> "Extensions":
        """Read the EHLO reply's lines without codes; the first one only greets."""
        words: dict[str, tuple[str, ...]] = {}
        for text in list(texts)[1:]:
            # "AUTH=PLAIN" is how servers older than RFC 2554 spell it.
            keyword, *parameters = text.decode("latin-1").replace("AUTH=", "AUTH ").split() or [""]
            keyword = keyword.upper()
            if keyword:
                words[keyword] = words.get(keyword, ()) + tuple(parameters)
        return cls(words)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.words

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms in the server's order, each once, in upper case."""
        return tuple(dict.fromkeys(word.upper() for word in self.words.get("AUTH", ())))

    @property
    def max_size(self) -> int | None:
        """The largest message in octets (RFC 1870); None where no limit is told."""
        for parameter in self.words.get("SIZE", ())[:1]:
            if parameter.isascii() and parameter.isdigit() and len(parameter) <= 20:  # noqa: PLR2004 - RFC 1870: 20 digits
                return int(parameter) or None
        return None
