"""`sendmail` for all users of a machine: the message goes to the system-wide worker by a socket.

So users don't need settings, password or outbox of their own. Users who have their own settings, or
set `SMTP_DESK_HOME`, send with these.

Keep this module light: cron starts it for every email.
"""

import os
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from smtp_desk.cli.sendmail_arguments import ArgumentsError, SendmailArguments
from smtp_desk.cli.smtp_input import SmtpInput, SubmitAnswer, read_message
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.handover import (
    HEAD,
    MOST_ANSWER_OCTETS,
    Act,
    HandoverError,
    Order,
    WorkerAnswer,
    frame_length,
    read_exactly,
    read_frame,
    read_head,
)
from smtp_desk.core.reply import visible
from smtp_desk.core.translation import ENGLISH, _, install, mark, told
from smtp_desk.store.ownership import ROOT, knows_peers, own_id, peer_user, user_id
from smtp_desk.store.paths import HOME_VARIABLE, WORKER_USER, Paths

MOST_OCTETS: Final = 64 * 1024 * 1024

_TURN_S: Final = 30
_ANSWER_S: Final = 180
_TIME: Final = struct.Struct("@ll")
_STATUSES: Final = (ExitStatus.OK, ExitStatus.USAGE, ExitStatus.DATAERR, ExitStatus.TEMPFAIL)


class StrangerError(Exception):
    """Somebody other than the worker listens at its socket."""


def hand_over(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Act as sendmail through the system-wide worker, and return the exit status.

    Args:
        arguments: The command line after `sendmail`.
        environ: The environment.

    Returns:
        None if this user sends without the worker, or the arguments need the whole program.
    """
    paths = Paths.system(environ)
    path = paths.socket
    if path is None or not knows_peers() or _has_own_settings(environ):
        return None
    if not os.path.lexists(path):
        if os.path.exists(paths.settings_file):  # noqa: PTH110 - a folder may be closed to us
            _tell(
                _(
                    "{path} is missing, so the system’s worker isn’t running. Trying without it.",
                    path=path,
                )
            )
        return None
    try:
        asked = SendmailArguments.parse(arguments)
    except ArgumentsError:
        return None
    if sys.stdin is None or (
        asked.mode == "m" and not asked.due and not asked.recipients and not asked.from_header
    ):
        return None
    try:
        return _Client(path, trusted_users()).run(asked)
    except OSError as error:
        _tell(f"{_('Nothing was stored or sent.')} {error}.")
        return ExitStatus.TEMPFAIL


def trusted_users() -> frozenset[int]:
    """Return the users that may be at the other end: root, the worker, and this user."""
    known = (ROOT, own_id(), user_id(WORKER_USER))
    return frozenset(user for user in known if user is not None)


def _has_own_settings(environ: Mapping[str, str]) -> bool:
    own = Paths.default(environ).settings_file
    # Not Path.exists: HOME may be that of another user, and closed to this one.
    return bool(environ.get(HOME_VARIABLE)) or os.path.exists(own)  # noqa: PTH110


class _Client:
    """Asks the worker: a connection a request.

    Args:
        path: The socket.
        trusted: The users one of which must listen there.
    """

    def __init__(self, path: Path, trusted: frozenset[int]) -> None:
        self._path = path
        self._trusted = trusted

    def run(self, asked: SendmailArguments) -> int:
        """Do what the command line asks for, and return the exit status."""
        if asked.due:
            return ExitStatus.OK  # the worker sends what is due as soon as it is
        if asked.mode == "s":
            return self._speak_smtp()
        if asked.mode in ("p", "i"):
            answer = self.ask(Order(Act.LIST if asked.mode == "p" else Act.ALIASES))
            _show(answer.lines)
        else:
            octets = read_message(sys.stdin.buffer, MOST_OCTETS, ignore_dots=asked.ignore_dots)
            order = Order(
                Act.SUBMIT,
                asked.recipients,
                asked.from_header,
                _sender(asked.sender),
                asked.full_name,
            )
            answer = self.ask(order, octets)
            _show(answer.lines if asked.verbose else ())
        for remark in answer.remarks:
            _tell(remark)
        return answer.status

    def ask(self, order: Order, octets: bytes = b"") -> WorkerAnswer:
        """Return the worker's answer, or that there is none."""
        if len(octets) > MOST_OCTETS:
            text = _("The message has more than {most} octets.", most=MOST_OCTETS)
            return WorkerAnswer(ExitStatus.DATAERR, (text,))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                self._connect(connection)
                return _exchange(connection, order, octets)
        except StrangerError as error:
            return _tempfail(str(error))
        except BlockingIOError:
            return _tempfail(
                _("The system’s worker at {path} is taking too long.", path=self._path)
            )
        except (OSError, HandoverError) as error:
            why = getattr(error, "strerror", None) or told(error)
            return _tempfail(
                _("The system’s worker doesn’t answer at {path}: {why}.", path=self._path, why=why)
            )

    def _connect(self, connection: socket.socket) -> None:
        """Connect, waiting in line where others do, and see who is there before a word is said.

        Raises:
            StrangerError: Another user listens there.
            OSError: Nobody listens, or the connection stalls.
        """
        for option, seconds in ((socket.SO_SNDTIMEO, _TURN_S), (socket.SO_RCVTIMEO, _ANSWER_S)):
            connection.setsockopt(socket.SOL_SOCKET, option, _TIME.pack(seconds, 0))
        connection.connect(str(self._path))
        user = peer_user(connection)
        if user not in self._trusted:
            raise StrangerError(
                _(
                    "User {user}, who isn’t the worker, is listening at {path}. Ask an "
                    "administrator.",
                    user=user,
                    path=self._path,
                )
            )

    def _speak_smtp(self) -> int:
        install(ENGLISH, None)  # a program reads the replies

        def submit(sender: str, recipients: Sequence[str], octets: bytes) -> SubmitAnswer:
            answer = self.ask(Order(Act.SUBMIT, tuple(recipients), sender=_sender(sender)), octets)
            if answer.status == ExitStatus.OK:
                return SubmitAnswer(ExitStatus.OK, "stored")
            failed = answer.status == ExitStatus.TEMPFAIL
            status = ExitStatus.TEMPFAIL if failed else ExitStatus.DATAERR
            return SubmitAnswer(status, " ".join(answer.remarks))

        def refusal(recipient: str) -> str:
            answer = self.ask(Order(Act.CHECK, (recipient,)))
            return answer.remarks[0] if answer.status == ExitStatus.DATAERR else ""

        SmtpInput(sys.stdin.buffer, sys.stdout.buffer, submit, refusal, MOST_OCTETS).run()
        return ExitStatus.OK


def _exchange(connection: socket.socket, order: Order, octets: bytes) -> WorkerAnswer:
    content = order.to_octets()
    with suppress(BrokenPipeError, ConnectionResetError):  # it answered before it read all
        connection.sendall(HEAD + frame_length(content) + content + frame_length(octets))
        connection.sendall(octets)

    def receive(most: int) -> bytes:
        found = connection.recv(most)
        if not found:
            raise HandoverError(mark("it ended without an answer"))
        return found

    read = partial(read_exactly, receive)
    read_head(read)
    answer = WorkerAnswer.parse(read_frame(read, MOST_ANSWER_OCTETS))
    if answer.status not in _STATUSES:
        raise HandoverError(mark("it gave an unknown answer"))
    return answer


def _sender(said: str | None) -> str:
    """Return the envelope sender as orders have it: an empty one is one."""
    return "" if said is None else said or "<>"


def _tempfail(text: str) -> WorkerAnswer:
    return WorkerAnswer(
        ExitStatus.TEMPFAIL, (f"{_('The email may not have been stored.')} {text}",)
    )


def _show(lines: Sequence[str]) -> None:
    if sys.stdout is None:
        return
    try:
        for line in lines:
            sys.stdout.buffer.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"smtp-desk: {visible(text)}\n")
