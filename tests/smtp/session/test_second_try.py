from __future__ import annotations

from typing import cast

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.net.stream import Stream
from smtp_desk.smtp.net.tls import TlsInfo
from smtp_desk.smtp.session.opening import SecondTry

INFO = TlsInfo("TLSv1.3", "cipher", ())


class FakeStream:
    """What is left of a stream here: whether it was given up."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_a_handshake_wakes_the_first_connection() -> None:
    stream, first = FakeStream(), Cancel()
    second = SecondTry(lambda _: (cast("Stream", stream), INFO), Cancel(), first)
    assert second.wait()
    assert second.stop()
    assert first.cancelled
    assert second.result() == (cast("Stream", stream), INFO)
    second.drop()
    assert stream.aborted


def test_a_handshake_that_ends_after_it_was_stopped_is_given_up() -> None:
    stream, first, session = FakeStream(), Cancel(), Cancel()

    def attempt(cancel: Cancel) -> tuple[Stream, TlsInfo]:
        session.cancel()
        assert cancel.cancelled
        return cast("Stream", stream), INFO

    second = SecondTry(attempt, session, first)
    assert not second.stop()
    assert stream.aborted
    assert not first.cancelled
    second.drop()


def test_a_certificate_that_is_refused_is_conclusive() -> None:
    failure = SmtpFailure(Stage.TLS, "tls.expired")

    def attempt(_: Cancel) -> tuple[Stream, TlsInfo]:
        raise failure

    first = Cancel()
    second = SecondTry(attempt, Cancel(), first)
    assert second.stop()
    assert first.cancelled
    with pytest.raises(SmtpFailure, match=r"tls\.expired"):
        second.result()


def test_a_fault_of_our_own_is_not_lost_in_the_thread() -> None:
    def attempt(_: Cancel) -> tuple[Stream, TlsInfo]:
        raise ZeroDivisionError

    first = Cancel()
    second = SecondTry(attempt, Cancel(), first)
    assert not second.wait()
    assert first.cancelled
    with pytest.raises(ZeroDivisionError):
        second.stop()


@pytest.mark.parametrize(
    "error",
    [
        CancelledError(),
        SmtpFailure(Stage.CONNECT, "connect.refused"),
        SmtpFailure(Stage.TLS, "tls.handshake_closed"),
        SmtpFailure(Stage.TLS, "tls.wrong_mode", facts={"answer": "220 hello"}),
    ],
)
def test_what_tells_nothing_leaves_the_first_connection_waiting(error: Exception) -> None:
    def attempt(_: Cancel) -> tuple[Stream, TlsInfo]:
        raise error

    first = Cancel()
    assert not SecondTry(attempt, Cancel(), first).wait()
    assert not first.cancelled
