"""Reads windows as a screen reader does: over AT-SPI, on the accessibility bus of a session."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jeepney import DBusAddress, MessageType, new_method_call  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ACCESSIBLE: Final = "org.a11y.atspi.Accessible"
_TEXT: Final = "org.a11y.atspi.Text"
_EDITABLE: Final = "org.a11y.atspi.EditableText"
_ACTION: Final = "org.a11y.atspi.Action"
_COMPONENT: Final = "org.a11y.atspi.Component"
_ON_SCREEN: Final = 0
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_LAUNCHER: Final = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
_ALL_PROGRAMS: Final = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
_NO_CONTROLS: Final = frozenset({"label", "panel", "filler"})
_LABELLED_BY: Final = 2
"""A number of AtspiRelationType."""
_SECONDS: Final = 10.0

_Place: TypeAlias = tuple[str, str]
"""The name of a program on the bus, and a path in it."""

# Bits of AtspiStateType.
_CHECKED: Final = 1 << 4
_ENABLED: Final = 1 << 8
_FOCUSABLE: Final = 1 << 11
_FOCUSED: Final = 1 << 12
_SHOWING: Final = 1 << 25


class _GoneError(Exception):
    """The thing asked about, or its whole program, is no longer there."""


@dataclasses.dataclass(frozen=True)
class Part:
    """One thing in a window, as the person is told of it.

    Attributes:
        text: what stands in it, where it is a field.
    """

    role: str
    name: str
    description: str
    text: str
    enabled: bool
    focused: bool
    checked: bool


class ScreenReader:
    """Reads all windows of a session."""

    def __init__(self, session_bus: str) -> None:
        with open_dbus_connection(session_bus) as session:
            reply = session.send_and_get_reply(new_method_call(_LAUNCHER, "GetAddress"))
        self._bus = open_dbus_connection(reply.body[0])

    def parts(self) -> list[Part]:
        """Everything that is shown."""
        return [self._part(*found) for found in self._all()]

    def named(self, name: str) -> list[Part]:
        """What is shown under this name; nothing at a moment at which the windows change.

        The name of a text is the text; a label of a field has the name of its field.
        """
        try:
            return [self._part(*found) for found in self._all() if self._name(*found) == name]
        except _GoneError:
            return []

    def control(self, name: str) -> Part:
        """The field, button or switch of this name, once it is shown."""
        return self._first(name, "a control", lambda part: part.role not in _NO_CONTROLS)

    def wait_for(self, name: str) -> None:
        """Return once something of this name is shown."""
        self._first(name, "a text", lambda _: True)

    def heard(self, beginning: str) -> str:
        """The whole name of what begins so, once it is shown."""
        found: list[str] = []

        def is_found() -> bool:
            try:
                names = (self._name(*each) for each in self._all())
                found.extend(name for name in names if name.startswith(beginning))
            except _GoneError:
                found.clear()
            return bool(found)

        wait_until(is_found, f"something that begins with {beginning!r}")
        return found[0]

    def wait_for_focus(self, name: str) -> None:
        """Return once what has this name has the keyboard's focus."""
        self._first(name, "the focus on", lambda part: part.focused)

    def wait_for_typed(self, name: str, count: int) -> None:
        """Return once the field of this name has the focus and so many characters."""
        what = f"the focus and {count} characters in"
        self._first(name, what, lambda part: part.focused and len(part.text) == count)

    def act(self, name: str) -> None:
        """Do the first action of what begins with this name: press a button, toggle a box."""
        wait_until(
            lambda: bool(self._ask(self._place(name), _ACTION, "DoAction", "i", 0)),
            f"{name!r} to do its action",
        )

    def put(self, name: str, text: str) -> None:
        """Put a text into the field of this name."""
        self.put_all({name: text})

    def put_all(self, texts: Mapping[str, str]) -> None:
        """Put texts into the fields of these names, once all of them are there."""
        found: dict[str, _Place] = {}

        def is_found() -> bool:
            with contextlib.suppress(_GoneError):
                for place, states in self._all():
                    name = self._name(place, states)
                    if name in texts and states & _ENABLED and self._role(place) == "text":
                        found[name] = place
            return found.keys() == texts.keys()

        wait_until(is_found, f"the fields {', '.join(texts)}")
        for name, text in texts.items():
            assert self._ask(found[name], _EDITABLE, "SetTextContents", "s", text)

    def extents(self, name: str) -> tuple[int, int, int, int]:
        """Left, top, width and height, on the screen, of what begins with this name."""
        left, top, width, height = self._ask(
            self._place(name, needed=0), _COMPONENT, "GetExtents", "u", _ON_SCREEN
        )
        return left, top, width, height

    def _place(self, name: str, needed: int = _ENABLED) -> _Place:
        """The place of the control of this name in this state, else of one that begins so."""
        found: dict[str, _Place] = {}

        def is_found() -> bool:
            try:
                for place, states in self._all():
                    shown = self._name(place, states) if states & needed == needed else ""
                    if shown.startswith(name) and self._role(place) not in _NO_CONTROLS:
                        found.setdefault(shown, place)
            except _GoneError:
                found.clear()
            return bool(found)

        wait_until(is_found, f"a control {name!r} that is enabled")
        return found.get(name) or next(iter(found.values()))

    def close(self) -> None:
        self._bus.close()

    def _first(self, name: str, kind: str, accept: Callable[[Part], bool]) -> Part:
        found: list[Part] = []

        def is_found() -> bool:
            found.extend(filter(accept, self.named(name)))
            return bool(found)

        try:
            wait_until(is_found, f"{kind} {name!r}")
        except AssertionError as error:
            error.add_note(f"shown is {[self._name(*found) for found in self._all()]}")
            raise
        return found[0]

    def _all(self) -> Iterator[tuple[_Place, int]]:
        """Everything shown in any window, with its states."""
        for program in self._ask(_ALL_PROGRAMS, _ACCESSIBLE, "GetChildren"):
            for window in self._ask(program, _ACCESSIBLE, "GetChildren"):
                yield from self._below(window)

    def _below(self, place: _Place) -> Iterator[tuple[_Place, int]]:
        low, high = self._ask(place, _ACCESSIBLE, "GetState")
        states = low | high << 32
        if states & _SHOWING:
            yield place, states
            for child in self._ask(place, _ACCESSIBLE, "GetChildren"):
                yield from self._below(child)

    def _name(self, place: _Place, states: int) -> str:
        """The name; Qt gives a combo box that of its value, and its label as a relation."""
        if states & _FOCUSABLE and self._role(place) == "combo box":
            for relation, targets in self._ask(place, _ACCESSIBLE, "GetRelationSet"):
                if relation == _LABELLED_BY:
                    return self._property(targets[0], "Name")
        return self._property(place, "Name")

    def _role(self, place: _Place) -> str:
        return str(self._ask(place, _ACCESSIBLE, "GetRoleName"))

    def _part(self, place: _Place, states: int) -> Part:
        role = self._role(place)
        return Part(
            role=role,
            name=self._name(place, states),
            description=self._property(place, "Description"),
            text=str(self._ask(place, _TEXT, "GetText", "ii", 0, -1)) if role == "text" else "",
            enabled=bool(states & _ENABLED),
            focused=bool(states & _FOCUSED),
            checked=bool(states & _CHECKED),
        )

    def _property(self, place: _Place, name: str) -> str:
        _, value = self._ask(place, _PROPERTIES, "Get", "ss", _ACCESSIBLE, name)
        return str(value)

    def _ask(
        self,
        place: _Place,
        interface: str,
        method: str,
        signature: str | None = None,
        *arguments: object,
    ) -> Any:  # noqa: ANN401 - the type is the method's
        program, path = place
        address = DBusAddress(path, bus_name=program, interface=interface)
        call = new_method_call(address, method, signature, arguments)
        reply = self._bus.send_and_get_reply(call, timeout=_SECONDS)
        if reply.header.message_type is MessageType.error:
            raise _GoneError(reply.body)
        return reply.body[0]
