"""The stages of a test, in the order in which they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A value that a report can hold."""

Facts: TypeAlias = Mapping[str, Json]
"""What a stage found out, by name: addresses tried, banner, extensions, chain…"""


class Stage(StrEnum):
    """One stage of a session; with TLS from the start `tls` comes before `greeting`.

    TOKEN appears only where the credential is a token.
    """

    SETTINGS = "settings"
    TOKEN = "token"  # noqa: S105 - a stage's name
    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    TLS = "tls"
    AUTH = "auth"
    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    DONE = "done"


class StageStatus(StrEnum):
    """How a stage stands."""

    STARTED = "started"
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageEvent:
    """A stage began or ended.

    A stage may report more than once (`ehlo` is spoken again inside TLS): `fold_stages`
    of `report` merges such events, adding the times and joining the facts.

    Attributes:
        stage: Which stage.
        status: Its status now.
        ms: Milliseconds spent in the stage so far; 0 when it starts.
        facts: What was learned in it.
    """

    stage: Stage
    status: StageStatus
    ms: float = 0.0
    facts: Facts = field(default_factory=dict)
