"""Coverage-guided fuzzing of one target: `python -m tests.fuzz TARGET FOLDER [OPTIONS]`.

FOLDER keeps the corpus; OPTIONS are those of libFuzzer, such as -max_total_time=60. An input
that breaks the target is written to a file `crash-…` in FOLDER's parent.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

from tests.fuzz import target

LONGEST = 16 * 1024
"""Octets of an input."""
INSTRUMENTED = ("smtp_desk", "email_validator", "html", "idna", "tomllib")
"""What tells libFuzzer which code it reached."""
SLOWEST = 20
"""Seconds that one input may take."""


def main() -> None:
    """Fuzz until an option or a failure ends it; does not return."""
    name, corpus, *options = sys.argv[1:]
    with atheris.instrument_imports(include=[*INSTRUMENTED]):
        fuzzed = target(name)
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(fuzzed.seeds()):
        (folder / f"seed-{number:04}").write_bytes(seed)
    words = folder.with_name("words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in fuzzed.WORDS), "ascii")
    settings = [
        f"-artifact_prefix={folder.parent}/",
        f"-dict={words}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
    ]
    atheris.Setup([sys.argv[0], corpus, *settings, *options], fuzzed.run)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{octet:02x}" for octet in word)


if __name__ == "__main__":
    main()
