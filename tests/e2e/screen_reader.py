"""Reads windows as a screen reader does: over AT-SPI, on the accessibility bus of a session."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    MessageType,
    new_method_call,
)
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ACCESSIBLE: Final = "org.a11y.atspi.Accessible"
_TEXT: Final = "org.a11y.atspi.Text"
_EDITABLE: Final = "org.a11y.atspi.EditableText"
_ACTION: Final = "org.a11y.atspi.Action"
_COMPONENT: Final = "org.a11y.atspi.Component"
_COLLECTION: Final = "org.a11y.atspi.Collection"
_MATCHES: Final = "(aiia{ss}iaiiasib)uib"
_ON_SCREEN: Final = 0
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_LAUNCHER: Final = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
_ALL_PROGRAMS: Final = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
_NO_CONTROLS: Final = frozenset({"label", "panel", "filler"})
_LABELLED_BY: Final = 2
"""A number of AtspiRelationType."""
_ALL: Final = 1
_ANY: Final = 2
_NONE: Final = 3
"""Numbers of AtspiCollectionMatchType."""
_CANONICAL_ORDER: Final = 1
_COMBO_BOX: Final = 11
_LIST: Final = 31
_LIST_ITEM: Final = 32
"""Numbers of AtspiRole."""
_SECONDS: Final = 10.0

_Place: TypeAlias = tuple[str, str]
"""The name of a program on the bus, and a path in it."""
_Question: TypeAlias = tuple[_Place, str, str, str | None, tuple[object, ...]]
"""Whom to ask: interface, method, signature and arguments."""

# Bits of AtspiStateType.
_CHECKED: Final = 1 << 4
_ENABLED: Final = 1 << 8
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
        return [self._part(place, name) for place, name in self._shown()]

    def named(self, name: str) -> list[Part]:
        """What is shown under this name; nothing at a moment at which the windows change.

        The name of a text is the text; a label of a field has the name of its field.
        """
        return self._parts(name)

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
            found.extend(name for _, name in self._shown() if name.startswith(beginning))
            return bool(found)

        wait_until(is_found, f"something that begins with {beginning!r}")
        return found[0]

    def wait_for_focus(self, name: str) -> None:
        """Return once what has this name has the keyboard's focus."""
        self._first(name, "the focus on", lambda _: True, _FOCUSED)

    def wait_for_typed(self, name: str, count: int) -> None:
        """Return once the field of this name has the focus and so many characters."""
        what = f"the focus and {count} characters in"
        self._first(name, what, lambda part: len(part.text) == count, _FOCUSED)

    def act(self, name: str) -> None:
        """Do the first action of what begins with this name: press a button, toggle a box."""
        wait_until(
            lambda: bool(self._ask(self._place(name, _ENABLED), _ACTION, "DoAction", "i", 0)),
            f"{name!r} to do its action",
        )

    def put(self, name: str, text: str) -> None:
        """Put a text into the field of this name."""
        place = self._place(name, _ENABLED)
        assert self._ask(place, _EDITABLE, "SetTextContents", "s", text)

    def put_all(self, texts: Mapping[str, str]) -> None:
        """Put texts into the fields of these names."""
        for name, text in texts.items():
            self.put(name, text)

    def extents(self, name: str) -> tuple[int, int, int, int]:
        """Left, top, width and height, on the screen, of what begins with this name."""
        left, top, width, height = self._ask(
            self._place(name), _COMPONENT, "GetExtents", "u", _ON_SCREEN
        )
        return left, top, width, height

    def close(self) -> None:
        self._bus.close()

    def _place(self, name: str, states: int = 0) -> _Place:
        """The place of the control of this name in these states, else of one that begins so."""
        found: list[tuple[_Place, str]] = []

        def is_found() -> bool:
            with contextlib.suppress(_GoneError):
                found[:] = [
                    (place, shown)
                    for place, shown in self._shown(states)
                    if shown.startswith(name) and self._role(place) not in _NO_CONTROLS
                ]
            return bool(found)

        wait_until(is_found, f"a control {name!r}")
        return next((place for place, shown in found if shown == name), found[0][0])

    def _first(self, name: str, kind: str, accept: Callable[[Part], bool], states: int = 0) -> Part:
        found: list[Part] = []

        def is_found() -> bool:
            found.extend(filter(accept, self._parts(name, states)))
            return bool(found)

        try:
            wait_until(is_found, f"{kind} {name!r}")
        except AssertionError as error:
            error.add_note(f"shown is {[name for _, name in self._shown()]}")
            raise
        return found[0]

    def _parts(self, name: str, states: int = 0) -> list[Part]:
        try:
            return [self._part(*found) for found in self._shown(states) if found[1] == name]
        except _GoneError:
            return []

    def _shown(self, states: int = 0) -> list[tuple[_Place, str]]:
        """What is shown in any window in these states, with its name.

        The program itself looks through its windows, and all names are asked for at once. To go
        from part to part is half a thousand questions one after the other to the thread that
        draws the window: on a busy machine it then does nothing else.
        """
        places = self._matches(states, _NONE, _LIST_ITEM) + self._listed(states)
        names = {
            place: str(name) for place, name in self._properties(places, "Name") if name is not None
        }
        for box in self._matches(states, _ANY, _COMBO_BOX):
            # Qt gives it the name of its value, and its label as a relation.
            for relation, targets in self._ask(box, _ACCESSIBLE, "GetRelationSet"):
                if relation == _LABELLED_BY:
                    names[box] = self._property(targets[0], "Name")
        return list(names.items())

    def _listed(self, states: int) -> list[_Place]:
        """Items of the lists that are shown: Qt calls those of a hidden list shown, too."""
        lists = self._matches(0, _ANY, _LIST)
        items = self._matches(states, _ANY, _LIST_ITEM)
        return [item for item, holder in self._properties(items, "Parent") if holder in lists]

    def _matches(self, states: int, which: int, role: int) -> list[_Place]:
        """What is shown in any window in these states, and in this role or in another."""
        roles = list(struct.unpack("<4i", (1 << role).to_bytes(16, "little")))
        wanted = [states | _SHOWING, 0]
        rule: tuple[object, ...] = (wanted, _ALL, {}, _ALL, roles, which, [], _ALL, False)
        found: list[_Place] = []
        for program in self._ask(_ALL_PROGRAMS, _ACCESSIBLE, "GetChildren"):
            for window in self._ask(program, _ACCESSIBLE, "GetChildren"):
                arguments = (rule, _CANONICAL_ORDER, 0, True)
                found += self._ask(window, _COLLECTION, "GetMatches", _MATCHES, *arguments)
        return found

    def _role(self, place: _Place) -> str:
        return str(self._ask(place, _ACCESSIBLE, "GetRoleName"))

    def _part(self, place: _Place, name: str) -> Part:
        role = self._role(place)
        low, high = self._ask(place, _ACCESSIBLE, "GetState")
        states = low | high << 32
        return Part(
            role=role,
            name=name,
            description=self._property(place, "Description"),
            text=str(self._ask(place, _TEXT, "GetText", "ii", 0, -1)) if role == "text" else "",
            enabled=bool(states & _ENABLED),
            focused=bool(states & _FOCUSED),
            checked=bool(states & _CHECKED),
        )

    def _property(self, place: _Place, name: str) -> str:
        _, value = self._ask(place, _PROPERTIES, "Get", "ss", _ACCESSIBLE, name)
        return str(value)

    def _properties(self, places: list[_Place], name: str) -> list[tuple[_Place, Any]]:
        """The property of each, None where it is gone."""
        arguments = (_ACCESSIBLE, name)
        asked: list[_Question] = [(place, _PROPERTIES, "Get", "ss", arguments) for place in places]
        answers = self._ask_all(asked)
        values = (answer and answer[1] for answer in answers)
        return list(zip(places, values, strict=True))

    def _ask(
        self,
        place: _Place,
        interface: str,
        method: str,
        signature: str | None = None,
        *arguments: object,
    ) -> Any:  # noqa: ANN401 - the type is the method's
        (answer,) = self._ask_all([(place, interface, method, signature, arguments)])
        if answer is None:
            raise _GoneError(place)
        return answer

    def _ask_all(self, questions: list[_Question]) -> list[Any]:
        """Ask all at once; the answers in the same order, None where there is nobody."""
        serials = []
        for (program, path), interface, method, signature, arguments in questions:
            address = DBusAddress(path, bus_name=program, interface=interface)
            serials.append(next(self._bus.outgoing_serial))
            call = new_method_call(address, method, signature, arguments)
            self._bus.send(call, serial=serials[-1])
        answers: dict[int, Any] = {}
        while len(answers) < len(serials):
            reply = self._bus.receive(timeout=_SECONDS)
            failed = reply.header.message_type is MessageType.error
            asked = reply.header.fields.get(HeaderFields.reply_serial)
            if asked is not None:
                answers[asked] = None if failed else reply.body[0]
        return [answers[serial] for serial in serials]
