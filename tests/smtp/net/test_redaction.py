"""No spelling of a secret passes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import quopri
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import hypothesis
import hypothesis.strategies as st

from smtp_desk.smtp.net.redaction import HIDDEN, Redactor
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.stages import Json

SECRETS = ["s3cret", 'a "q\\uoted" pa+ss/w?rd <&>', "pässwörd", "𝄞 clef", "abcd efgh ijkl mnop"]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "json": json.dumps,
    "json_utf8": lambda s: json.dumps(s, ensure_ascii=False),
    "percent": lambda s: urllib.parse.quote(s, safe=""),
    "percent_lower": lambda s: urllib.parse.quote(s, safe="").lower(),
    "form": urllib.parse.quote_plus,
    "html": html.escape,
    "repr": repr,
    "hexadecimal": lambda s: s.encode().hex(),
    "quoted_printable": lambda s: quopri.encodestring(s.encode(), quotetabs=True).decode(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "plain_blob": lambda s: base64.b64encode(f"\0ann@example.org\0{s}".encode()).decode(),
    "plain_blob_1": lambda s: base64.b64encode(f"\0ann\0{s}".encode()).decode(),
    "plain_blob_2": lambda s: base64.b64encode(f"\0an\0{s} and more".encode()).decode(),
    "url_safe": lambda s: base64.urlsafe_b64encode(f"??{s}??".encode()).decode(),
    "base64_percent": lambda s: urllib.parse.quote(base64.b64encode(s.encode()).decode(), safe=""),
    "userinfo": lambda s: f"smtp://ann:{urllib.parse.quote(s)}@mail.example.test",
}


@each_row("secret", SECRETS)
@each_row("spelling", SPELLINGS)
def test_an_echo_is_hidden(secret: str, spelling: str) -> None:
    echo = SPELLINGS[spelling](secret)
    shown = Redactor(secret).text(f"535 5.7.8 bad: {echo} (sorry)")
    assert HIDDEN in shown
    assert shown.startswith("535 5.7.8 bad: ")
    assert shown.endswith(" (sorry)")
    left = shown.removeprefix("535 5.7.8 bad: ").removesuffix(" (sorry)").replace(HIDDEN, "")
    assert len(left) <= len("smtp://ann:@mail.example.test")
    assert secret[2:] not in left


@hypothesis.given(
    # A password holds no control character: the form refuses them.
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=4, max_size=24),
    st.text(max_size=12),
    st.sampled_from(sorted(SPELLINGS.keys() - {"upper", "quoted_printable", "repr"})),
)
def test_any_secret_in_any_coding(secret: str, before: str, spelling: str) -> None:
    echo = SPELLINGS[spelling](secret)
    assert HIDDEN in Redactor(secret).text(f"{before} {echo} ")


def test_an_echo_across_the_lines_of_a_reply_is_hidden_and_lines_stay_lines() -> None:
    texts = (b"5.7.8 bad password s3c", b"ret, go away", b"and more")
    assert Redactor("s3cret").lines(texts) == (
        b"5.7.8 bad password " + HIDDEN.encode(),
        b", go away",
        b"and more",
    )


def test_base64_across_lines_is_hidden() -> None:
    blob = base64.b64encode(b"\0ann\0correct horse")
    shown = Redactor("correct horse").lines((b"x " + blob[:15], blob[15:] + b" y"))
    assert blob[12:15] not in shown[0]
    assert blob[15:20] not in shown[1]
    assert len(shown) == 2


def test_a_reply_without_secret_is_the_same_object() -> None:
    texts = (b"2.1.0 Ok", b"\xff")
    assert Redactor("s3cret").lines(texts) is texts


def test_the_mark_is_readable_in_a_reply_of_latin_1() -> None:
    (shown,) = Redactor("s3cret").lines(("schön: s3cret".encode("latin-1"),))
    assert shown.decode() == f"schön: {HIDDEN}"


def test_a_secret_of_octets_outside_utf8_echoed_in_latin_1_is_hidden() -> None:
    (shown,) = Redactor("pässwörd").lines(("no: pässwörd".encode("latin-1"),))
    assert shown.decode() == f"no: {HIDDEN}"


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    assert Redactor("a").text("a mail was sent, a=b") == f"{HIDDEN} mail was sent, {HIDDEN}=b"


def test_without_a_secret_nothing_is_hidden() -> None:
    assert Redactor("").text("2.0.0 Ok") == "2.0.0 Ok"


def test_several_secrets_the_longer_first() -> None:
    assert Redactor("abcd", "abcdefgh").text("x abcdefgh y") == f"x {HIDDEN} y"


def test_what_was_sent_can_be_added() -> None:
    redactor = Redactor("s3cret")
    assert redactor.text("digest b913a602c7eda7a4") == "digest b913a602c7eda7a4"
    redactor.add(b"b913a602c7eda7a4")
    redactor.add(b"")
    assert redactor.text("digest b913a602c7eda7a4") == f"digest {HIDDEN}"


def test_a_secret_that_comes_later_is_learnt() -> None:
    redactor = Redactor("s3cret")
    for token in ("ya29.token", "ya29.token", "", "t" * 300):
        redactor.learn(token)
    encoded = base64.b64encode(b"user=ann\1auth=Bearer ya29.token\1\1").decode()
    assert redactor.text(f"s3cret ya29.token {encoded} {'t' * 300}") == " ".join([HIDDEN] * 4)


def test_of_many_that_came_the_latest_are_remembered() -> None:
    redactor = Redactor()
    tokens = [f"token-number-{number:03}" for number in range(20)]
    for token in tokens:
        redactor.learn(token)
    assert {redactor.text(token) for token in tokens[-4:]} == {HIDDEN}
    assert redactor.text(tokens[0]) == tokens[0]


def test_what_was_added_first_is_forgotten_when_much_follows() -> None:
    redactor = Redactor("s3cret")
    blobs = [f"{number:032x}" for number in range(100)]
    for blob in [*blobs, *blobs[-10:]]:
        redactor.add(blob.encode())
    assert redactor.text(blobs[0]) == blobs[0]
    assert {redactor.text(blob) for blob in blobs[-20:]} == {HIDDEN}
    assert redactor.text("s3cret") == HIDDEN


def test_threads_share_it_while_they_sign_in() -> None:
    redactor = Redactor("s3cret")
    together = threading.Barrier(3, timeout=60)

    def sign_in(number: int) -> set[str]:
        shown = set()
        for turn in range(200):
            together.wait()
            blob = f"{number:016x}{turn:016x}"
            redactor.add(blob.encode())
            shown.add(redactor.text(f"{blob} s3cret"))
        return shown

    with ThreadPoolExecutor(3) as threads:
        assert set().union(*threads.map(sign_in, range(3))) == {f"{HIDDEN} {HIDDEN}"}


def test_a_token_of_thousands_of_letters() -> None:
    token = "ya29." + "aB3_-" * 500
    assert Redactor(token).text(f"Bearer {token}!") == f"Bearer {HIDDEN}!"


@each_row("length", [256, 2_000, 20_000])
@each_row(
    "spelling",
    [
        *("plain", "percent", "form", "repr", "base64", "plain_blob", "plain_blob_1"),
        *("plain_blob_2", "url_safe", "base64_percent", "json"),
    ],
)
def test_an_echo_of_a_token_is_hidden_whole(spelling: str, length: int) -> None:
    token = ("eyJhb.a+/=3_-~!*$" * length)[:length]
    echo = SPELLINGS[spelling](token)
    assert Redactor(token).text(f"bad: {echo} (sorry)").strip('"') in {
        f"bad: {HIDDEN} (sorry)",
        f"bad: '{HIDDEN}' (sorry)",
        f'bad: "{HIDDEN}" (sorry)',
    }


@each_row("length", [64, 220, 2_000])
@each_row(
    "spell",
    [
        str,
        lambda token: urllib.parse.quote(token, safe=""),
        lambda token: base64.b64encode(f"user=ann\1auth=Bearer {token}\1\1".encode()).decode(),
        lambda token: base64.urlsafe_b64encode(f"n,a=ann,\1auth=Bearer {token}".encode()).decode(),
        lambda token: json.dumps({"token": token}),
    ],
)
def test_a_piece_of_a_token_is_hidden_as_the_whole(
    spell: Callable[[str], str], length: int
) -> None:
    token = base64.urlsafe_b64encode(hashlib.shake_128(b"").digest(length)).decode()[:length]
    echo = spell(token)
    for piece in (echo[:-9], echo[-48:], echo[-60:-20], f"{echo[:50]}\n{echo[50:]}"):
        lines = tuple(f"bad token <{piece}> sorry".encode().split(b"\n"))
        shown = b"\n".join(Redactor(token).lines(lines)).decode()
        left = {echo[at : at + 20] for at in range(len(echo) - 20)}
        assert not any(part in shown for part in left)
        assert shown.endswith(" sorry")


@each_row("spelling", SPELLINGS)
def test_an_echo_that_is_cut_costs_no_time(spelling: str) -> None:
    """A pattern that matches a letter in two ways would take for ever to fail."""
    secret = "".join(f"pä%sS'q Zt/{chr(97 + at % 26)}" for at in range(20))
    echo = SPELLINGS[spelling](secret)
    redactor = Redactor(secret)
    redactor.text("")
    began = time.process_time()
    for cut in (len(echo) // 3, len(echo) - 9):
        redactor.text(f"535 5.7.8 bad: {echo[:cut]}")
    assert time.process_time() - began < 0.5


def test_a_token_is_hidden_wherever_it_stands_and_nothing_else() -> None:
    token = "aB3_-/+=" * 100
    quoted = urllib.parse.quote(token, safe="")
    lines = (b"%41=x\\/y " + quoted[:50].encode(), quoted[50:].encode() + b" 100% =\\/", b"z%3D")
    shown = Redactor(token).lines((*lines, token.encode() + b" and " + token.encode()))
    mark = HIDDEN.encode()
    assert shown == (
        *(b"%41=x\\/y " + mark, b" 100% =\\/", b"z%3D"),
        mark + b" and " + mark,
    )


def test_what_was_sent_of_a_token_costs_milliseconds() -> None:
    token = "".join(f"{number:05}" for number in range(4_000))
    sent = base64.b64encode(f"user=ann\1auth=Bearer {token}\1\1".encode())
    began = time.process_time()
    redactor = Redactor(token)
    redactor.add(sent)
    said = (b"got " + sent[:9_000], sent[9_000:] + b" from you")
    assert redactor.lines(said) == (b"got " + HIDDEN.encode(), b" from you")
    assert time.process_time() - began < 0.5


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert Redactor("s3cret\udc80").text("s3cret\udc80") == HIDDEN
    assert Redactor("s3cret").text("\udc80 s3cret") == f"\udc80 {HIDDEN}"


def test_values_of_a_report_are_searched_at_any_depth() -> None:
    value: Json = {"words": ["ok", {"s3cret": "is s3cret"}], "code": 250, "none": None}
    assert Redactor("s3cret").json(value) == {
        "words": ["ok", {HIDDEN: f"is {HIDDEN}"}],
        "code": 250,
        "none": None,
    }


def test_a_long_reply_of_base64_letters_is_searched_in_no_time() -> None:
    octets = (b"A" * 65536, base64.b64encode(b"correct horse") * 3000)
    (first, second) = Redactor("correct horse").lines(octets)
    assert first == octets[0]
    assert second.decode() == HIDDEN
