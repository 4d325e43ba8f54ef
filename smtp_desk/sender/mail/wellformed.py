"""Make messages well-formed (RFC 5322, RFC 2045): their lines, fields and bodies."""

import binascii
import quopri
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from email.message import Message
from typing import Final, TypeAlias

from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.sender.mail.addressing import mailboxes_of
from smtp_desk.sender.mail.header_block import HeaderBlock, HeaderField, decoded, line_end
from smtp_desk.sender.mail.headers import encoded_text, field, mailboxes, parameter

Complete: TypeAlias = Callable[[str], str]
"""Gives an address its domain where it has none."""

_LONG: Final = re.compile(rb"[^\r\n]{999}")
"""A line of more than 998 octets (RFC 5322, 2.1.1)."""

_FIELD_START: Final = re.compile(rb"[!-9;-~]+[ \t]*:")
_CRS: Final = re.compile(rb"\r\r+\n")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PARAMETER: Final = re.compile(r';\s*([\w-]+)\*?=("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)

_LISTS: Final = frozenset(
    f"{resent}{name}" for resent in ("", "resent-") for name in ("from", "sender", "to", "cc")
) | {"reply-to", "resent-reply-to"}
_JOINED: Final = frozenset({"from", "reply-to", "to", "cc"})
_ONCE: Final = _JOINED | {
    *("date", "sender", "message-id", "in-reply-to", "references", "subject"),
    *("mime-version", "content-type", "content-transfer-encoding"),
}
"""Fields that stand once at most (RFC 5322, 3.6)."""

_FOLDED_ONLY: Final = frozenset(
    {
        *("message-id", "in-reply-to", "references", "resent-message-id", "date", "resent-date"),
        *("received", "return-path", "dkim-signature", "arc-seal", "arc-message-signature"),
    }
)
"""Fields without text for people: no encoded word may stand there (RFC 2047, 5)."""

_LONGEST_WORD: Final = 900
"""Characters without a blank that still stand on a line of their own."""

_BASE64_LINE: Final = re.compile(rb"([^\r\n]{76})(?=[^\r\n])")


def tidy_lines(octets: bytes) -> bytes:
    """Return a message with consistent line ends and no bare CR in its header.

    A bare CR in a header becomes a space, as in Postfix: it doesn't begin a field. If no line
    ends in LF, CR ends lines.
    """
    if b"\r" not in octets or b"\n" not in octets:
        return octets
    octets = _CRS.sub(b"\r\n", octets)
    at = 0
    lines: list[bytes] = []
    while True:
        end = octets.find(b"\n", at) + 1
        line = octets[at:end]
        first = at == 0 and line.startswith(b"From ")
        if not (first or _FIELD_START.match(line) or (lines and line[:1] in (b" ", b"\t"))):
            return b"".join((*lines, octets[at:]))
        content = line.rstrip(b"\r\n")
        lines.append(content.replace(b"\r", b" ") + line[len(content) :])
        at = end


def wellformed_fields(fields: Iterable[HeaderField], complete: Complete) -> list[HeaderField]:
    """Return the fields of a header, well-formed and without forbidden repetitions.

    Repeated address fields are joined; of other repeated fields the first is kept. Addresses get
    their domain, non-ASCII text becomes encoded words, long lines are folded. Fields that are
    right already keep every octet.
    """
    of_name: dict[str, list[HeaderField]] = defaultdict(list)
    for each in fields:
        same = of_name[each.name if each.name in _ONCE else f"{each.name} {len(of_name)}"]
        if not same or (each.name in _JOINED and each.text):
            same.append(each)
    made = [_wellformed(same, complete) for same in of_name.values()]
    return _with_one_author(made, complete)


def _wellformed(same: Sequence[HeaderField], complete: Complete) -> HeaderField:
    first = same[0]
    if len(same) == 1 and _is_wellformed(first, complete):
        return first
    text = ", ".join(_CONTROLS.sub(" ", each.latin).strip() for each in same if each.text)
    name = first.octets.partition(b":")[0].strip().decode("ascii")
    return HeaderField(first.name, field(name, _body(first.name, text, complete)))


def _is_wellformed(each: HeaderField, complete: Complete) -> bool:
    if not each.octets.isascii() or _LONG.search(each.octets):
        return False
    if each.octets[len(each.name) : len(each.name) + 1] != b":":
        return False
    if each.name not in _LISTS:
        return True
    try:
        return all(complete(address) == address for address in addresses(each.text))
    except AddressListError:
        return True  # nothing better is known


def _body(name: str, text: str, complete: Complete) -> str:
    if name in _LISTS:
        if boxes := mailboxes_of(text, complete):
            return mailboxes(boxes)
    elif name in _FOLDED_ONLY:
        return text.encode("ascii", "replace").decode()
    elif name.startswith("content-"):
        return _PARAMETER.sub(_encoded_parameter, text).encode("ascii", "replace").decode()
    if text.isascii() and max(map(len, text.split(" "))) < _LONGEST_WORD:
        return text
    return encoded_text(_CONTROLS.sub(" ", decoded(text)))


def _encoded_parameter(found: re.Match[str]) -> str:
    if found[0].isascii() and len(found[0]) < _LONGEST_WORD:
        return found[0]
    value = re.sub(r"\\(.)", r"\1", found[2].strip().removeprefix('"').removesuffix('"'))
    return f"; {parameter(found[1], value)}"


def _with_one_author(fields: list[HeaderField], complete: Complete) -> list[HeaderField]:
    """Keep the first of several authors in From, with replies to all, if there is no Sender.

    From with several addresses needs Sender (RFC 5322, 3.6.2), and many servers refuse it then.
    """
    names = {each.name for each in fields}
    made: list[HeaderField] = []
    for each in fields:
        authors = mailboxes_of(each.latin, complete) if each.name == "from" else []
        if len(authors) < 2 or "sender" in names:  # noqa: PLR2004 - several
            made.append(each)
            continue
        made.append(HeaderField("from", field("From", mailboxes(authors[:1]))))
        if "reply-to" not in names:
            made.append(HeaderField("reply-to", field("Reply-To", mailboxes(authors))))
    return made


def wellformed_body(fields: list[HeaderField], body: bytes) -> tuple[list[HeaderField], bytes]:
    """Return the fields and the body of a message with no line over 998 octets.

    A part with longer lines is encoded (quoted-printable); all others keep every octet.
    """
    if not _LONG.search(body):
        return fields, body
    if _content_type(fields) is None and not body.isascii():
        charset = "utf-8" if _is_utf8(body) else "iso-8859-1"
        fields = [*fields, *_made(("Content-Type", f"text/plain; charset={charset}"))]
    fields, body = _reencoded(fields, body)
    if not any(each.name == "mime-version" for each in fields):
        fields = [*fields, *_made(("MIME-Version", "1.0"))]
    return fields, body


def _reencoded(fields: list[HeaderField], body: bytes) -> tuple[list[HeaderField], bytes]:
    """Return an entity (RFC 2045, 2.4) without long lines."""
    if not _LONG.search(body):
        return fields, body
    kind = _content_type(fields) or Message()
    if kind.get_content_type() == "message/rfc822":
        return fields, _entity(body)
    boundary = kind.get_boundary()
    if kind.get_content_maintype() == "multipart" and boundary:
        return fields, _multipart(body, boundary.encode("utf-8", "surrogateescape"))
    encoding = _encoding(fields)
    if encoding == "base64":
        end = line_end(body) or b"\r\n"
        return fields, _BASE64_LINE.sub(lambda found: found[1] + end, body)
    content = quopri.decodestring(body) if encoding == "quoted-printable" else body
    others = [each for each in fields if each.name != "content-transfer-encoding"]
    others += _made(("Content-Transfer-Encoding", "quoted-printable"))
    return others, binascii.b2a_qp(content, istext=True)


def _multipart(body: bytes, boundary: bytes) -> bytes:
    delimiter = re.compile(
        rb"((?:\A|(?<=[\r\n]))--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r\n|\r|\n|\Z))"
    )
    parts = delimiter.split(body)
    # Text before the first delimiter and behind the last is for nobody (RFC 2046, 5.1.1).
    ends = {0, len(parts) - 1}
    return b"".join(
        part if at % 2 else (_cut(part) if at in ends else _entity(part))
        for at, part in enumerate(parts)
    )


def _entity(octets: bytes) -> bytes:
    block = HeaderBlock.read(octets)
    fields = list(block.fields)
    changed, body = _reencoded(fields, octets[block.body_at :])
    header = [_wellformed([each], str) if _LONG.search(each.octets) else each for each in changed]
    if header == fields:
        return octets[: block.body_at] + body
    return b"".join((*(each.octets for each in header), block.empty_line or b"\r\n", body))


def _cut(octets: bytes) -> bytes:
    end = line_end(octets) or b"\r\n"
    return re.sub(rb"([^\r\n]{998})(?=[^\r\n])", lambda found: found[1] + end, octets)


def _content_type(fields: Iterable[HeaderField]) -> "Message | None":
    found = next((each.latin for each in fields if each.name == "content-type"), None)
    if found is None:
        return None
    message = Message()
    message["Content-Type"] = found
    return message


def _encoding(fields: Iterable[HeaderField]) -> str:
    name = "content-transfer-encoding"
    return next((each.text.lower() for each in fields if each.name == name), "")


def _made(*made: tuple[str, str]) -> list[HeaderField]:
    return [HeaderField(name.lower(), field(name, body)) for name, body in made]


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
