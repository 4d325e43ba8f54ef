"""The state machine, and the faults that others were found to have in theirs."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.commands import Command, CommandError, Verb
from smtp_desk.smtp.wire.protocol import AnswerOutcome, ClientProtocol, ProtocolState
from smtp_desk.smtp.wire.replies import Violation, ViolationError
from tests.fuzz.examples import hostile
from tests.smtp.conversation import OFFER, answered, feed, in_plain_text, in_tls
from tests.table import each_row

END = Command(Verb.END, b"")
FLIGHT = (commands.mail("ann@example.org"), commands.rcpt("bo@example.org"), commands.DATA)


class TestFaultsOfOthers:
    """Each was run against another library and found."""

    def test_words_behind_the_reply_to_starttls_are_never_an_answer_inside_tls(self) -> None:
        protocol = in_plain_text()
        protocol.send(commands.STARTTLS)
        feed(protocol, b"220 go\r\n250-mail.example.test\r\n250 AUTH PLAIN\r\n")
        with pytest.raises(ViolationError) as caught:
            protocol.begin_tls()
        assert caught.value.violation is Violation.INJECTED_DATA
        assert caught.value.evidence.startswith(b"250-mail")
        assert protocol.state is ProtocolState.CLOSED

    def test_one_injected_byte_is_enough(self) -> None:
        protocol = in_plain_text()
        protocol.send(commands.STARTTLS)
        feed(protocol, b"220 go\r\n2")
        with pytest.raises(ViolationError, match="injected_data"):
            protocol.begin_tls()

    def test_a_reply_in_any_coding_is_a_reply(self) -> None:
        protocol = in_tls()
        answer = answered(protocol, commands.RSET, "250 schön\r\n".encode("latin-1"))
        assert answer.reply.text == "schön"

    def test_421_to_mail_is_a_refusal_and_no_violation(self) -> None:
        protocol = in_tls()
        answer = answered(protocol, FLIGHT[0], b"421 4.7.0 Try again later\r\n")
        assert (answer.verb, answer.outcome) == (Verb.MAIL, AnswerOutcome.REFUSED)
        assert answer.reply.transient
        assert protocol.state is ProtocolState.CLOSED

    def test_an_address_is_never_two_commands(self) -> None:
        with pytest.raises(CommandError):
            commands.mail("a@b.c>\r\nRCPT TO:<x@y.z")

    def test_a_line_without_end_is_not_kept(self) -> None:
        protocol = ClientProtocol()
        protocol.receive(b"220 " + b"x" * 10_000_000)
        with pytest.raises(ViolationError, match="line_too_long"):
            protocol.next_answer()

    def test_the_second_step_of_auth_waits_for_the_answer_to_the_first(self) -> None:
        protocol = in_tls()
        protocol.send(commands.auth("LOGIN"))
        with pytest.raises(CommandError):
            protocol.send(commands.auth_response(b"ZGVzaw=="))
        feed(protocol, b"334 VXNlcm5hbWU6\r\n")
        assert protocol.send(commands.auth_response(b"ZGVzaw==")) == b"ZGVzaw==\r\n"

    def test_repr_shows_no_credential(self) -> None:
        protocol = in_tls()
        command = commands.auth("PLAIN", b"AGRlc2sAczNjcmV0")
        answer = answered(protocol, command, b"535 5.7.8 AGRlc2sAczNjcmV0\r\n")
        assert "AGRlc2s" not in repr(command)
        assert "AGRlc2s" not in repr(answer).replace(repr(answer.reply), "")


class TestTls:
    def test_all_that_was_learnt_before_tls_is_forgotten(self) -> None:
        protocol = in_plain_text(b"250-x\r\n250-STARTTLS\r\n250-SIZE 5\r\n250 AUTH PLAIN\r\n")
        answered(protocol, commands.STARTTLS, b"220 go\r\n")
        protocol.begin_tls()
        assert not protocol.extensions.words
        answered(protocol, commands.ehlo("me"), b"250-x\r\n250 AUTH LOGIN\r\n")
        assert protocol.extensions.mechanisms == ("LOGIN",)
        assert protocol.extensions.max_size is None

    @each_row("command", [commands.auth("PLAIN", b"x"), *FLIGHT, commands.RSET])
    def test_outside_tls_nothing_but_starttls_and_quit_can_be_sent(self, command: Command) -> None:
        protocol = in_plain_text(OFFER.replace(b"SIZE", b"STARTTLS\r\n250-SIZE"))
        with pytest.raises(CommandError):
            protocol.send(command)
        assert protocol.send(commands.STARTTLS) == b"STARTTLS\r\n"

    def test_between_the_reply_to_starttls_and_tls_nothing_can_be_sent(self) -> None:
        protocol = in_plain_text()
        answered(protocol, commands.STARTTLS, b"220 go\r\n")
        for command in (commands.ehlo("me"), commands.QUIT, commands.STARTTLS):
            with pytest.raises(CommandError):
                protocol.send(command)

    @each_row("code", [250, 221, 354, 421, 454, 500, 501, 502, 530])
    def test_only_220_to_starttls_leads_to_tls(self, code: int) -> None:
        protocol = in_plain_text()
        answer = answered(protocol, commands.STARTTLS, b"%d odd\r\n" % code)
        assert answer.outcome is AnswerOutcome.REFUSED
        with pytest.raises(CommandError):
            protocol.begin_tls()
        with pytest.raises(CommandError):
            protocol.send(commands.ehlo("me"))

    def test_tls_does_not_begin_twice(self) -> None:
        with pytest.raises(CommandError):
            in_tls().begin_tls()


class TestOddAnswers:
    @each_row("code", [200, 221, 250, 354, 421, 450, 500, 501, 530, 554])
    def test_only_220_greets(self, code: int) -> None:
        protocol = ClientProtocol()
        (answer,) = feed(protocol, b"%d odd\r\n" % code)
        assert answer.outcome is AnswerOutcome.REFUSED
        with pytest.raises(CommandError):
            protocol.send(commands.ehlo("me"))

    @each_row("code", [220, 221, 251, 354, 421, 450, 500, 502, 550])
    def test_only_250_answers_ehlo(self, code: int) -> None:
        protocol = ClientProtocol(tls_from_start=True)
        feed(protocol, b"220 x\r\n")
        answer = answered(
            protocol, commands.ehlo("me"), b"%d-x\r\n%d AUTH PLAIN\r\n" % (code, code)
        )
        assert answer.outcome is AnswerOutcome.REFUSED
        assert not protocol.extensions.words

    def test_quit_may_follow_a_refused_greeting(self) -> None:
        protocol = ClientProtocol()
        feed(protocol, b"554 no\r\n")
        assert protocol.send(commands.QUIT) == b"QUIT\r\n"

    def test_354_to_mail_is_a_refusal(self) -> None:
        answer = answered(in_tls(), FLIGHT[0], b"354 go on\r\n")
        assert answer.outcome is AnswerOutcome.REFUSED

    def test_a_server_that_ends_lines_in_a_bare_lf_is_understood_and_told_of(self) -> None:
        protocol = ClientProtocol()
        (answer,) = feed(protocol, b"220-a\n220 b\n")
        assert answer.reply.lines == ("a", "b")
        assert protocol.bare_lf

    def test_crlf_is_not_told_of(self) -> None:
        assert not in_tls().bare_lf


class TestAccounting:
    """One command, one reply."""

    def test_no_command_before_the_banner(self) -> None:
        with pytest.raises(CommandError):
            ClientProtocol().send(commands.ehlo("me"))

    def test_no_command_before_the_reply_to_the_one_before(self) -> None:
        protocol = in_tls(b"250 mail.example.test\r\n")
        protocol.send(FLIGHT[0])
        with pytest.raises(CommandError):
            protocol.send(FLIGHT[1])

    @each_row("early", [b"250 ok\r\n", b"250-a\r\n", b"250", b"2", b"x"])
    def test_bytes_before_the_command_are_a_violation(self, early: bytes) -> None:
        protocol = in_tls()
        protocol.receive(early)
        with pytest.raises(ViolationError, match="unexpected_reply"):
            protocol.send(commands.RSET)

    def test_a_second_reply_to_one_command_is_a_violation(self) -> None:
        protocol = in_tls()
        protocol.send(commands.RSET)
        protocol.receive(b"250 ok\r\n250 ok\r\n")
        assert protocol.next_answer() is not None
        with pytest.raises(ViolationError, match="unexpected_reply") as caught:
            protocol.next_answer()
        assert caught.value.evidence == b"250 ok"
        assert protocol.state is ProtocolState.CLOSED

    def test_a_421_that_nobody_asked_for_is_an_answer_to_nothing(self) -> None:
        protocol = in_tls()
        protocol.receive(b"421 4.4.2 idle too long\r\n")
        answer = protocol.next_answer()
        assert answer is not None
        assert (answer.verb, answer.outcome) == (None, AnswerOutcome.REFUSED)
        assert protocol.state is ProtocolState.CLOSED

    def test_a_421_that_came_early_answers_the_next_command(self) -> None:
        protocol = in_tls()
        protocol.receive(b"421 idle\r\n")
        answer = answered(protocol, commands.RSET, b"")
        assert (answer.verb, answer.reply.code) == (Verb.RSET, 421)

    def test_after_421_nothing_can_be_sent(self) -> None:
        protocol = in_tls()
        answered(protocol, commands.RSET, b"421 bye\r\n")
        with pytest.raises(CommandError):
            protocol.send(commands.QUIT)

    def test_a_reply_read_before_the_end_is_given_out_before_the_end(self) -> None:
        protocol = in_tls()
        protocol.send(commands.RSET)
        protocol.receive(b"421 bye\r\n")
        answer = protocol.next_answer()
        protocol.receive_end()
        assert answer is not None
        assert answer.reply.code == 421

    @each_row(
        ("rest", "violation"),
        [
            (b"250-a\r\n250-b\r\n", Violation.MISSING_LAST_LINE),
            (b"250-a\r\n250", Violation.MISSING_LAST_LINE),
            (b"25", Violation.MISSING_LAST_LINE),
            (b"250 ok", Violation.MISSING_LAST_LINE),
            (b"SSH-2.0", Violation.NOT_A_REPLY),
        ],
    )
    def test_an_end_in_the_middle_of_a_reply_is_a_violation(
        self, rest: bytes, violation: Violation
    ) -> None:
        protocol = in_tls()
        protocol.send(commands.RSET)
        assert not feed(protocol, rest)
        with pytest.raises(ViolationError) as caught:
            protocol.receive_end()
        assert caught.value.violation is violation

    def test_a_server_that_goes_silent_in_the_middle_of_a_reply_breaks_no_rule(self) -> None:
        protocol = ClientProtocol()
        feed(protocol, b"220 mail")
        protocol.receive_end(closed=False)
        assert protocol.state is ProtocolState.CLOSED

    def test_a_server_that_goes_silent_after_what_is_no_reply_does(self) -> None:
        protocol = ClientProtocol()
        feed(protocol, b"\x15\x03\x01\x00\x02")
        with pytest.raises(ViolationError, match="not_a_reply"):
            protocol.receive_end(closed=False)


class TestAuth:
    def test_there_is_no_second_auth_after_a_refusal(self) -> None:
        protocol = in_tls()
        answered(protocol, commands.auth("PLAIN", b"eA=="), b"535 no\r\n")
        for command in (commands.auth("LOGIN"), FLIGHT[0]):
            with pytest.raises(CommandError):
                protocol.send(command)
        assert protocol.send(commands.QUIT)

    def test_there_is_no_second_auth_after_a_success(self) -> None:
        protocol = in_tls()
        answered(protocol, commands.auth("PLAIN", b"eA=="), b"235 yes\r\n")
        with pytest.raises(CommandError):
            protocol.send(commands.auth("PLAIN", b"eA=="))
        assert protocol.send(FLIGHT[0])

    def test_there_is_none_after_the_first_message(self) -> None:
        protocol = in_tls()
        for command, reply in zip(FLIGHT, (b"250 a", b"250 b", b"354 c"), strict=True):
            answered(protocol, command, reply + b"\r\n")
        answered(protocol, END, b"250 queued\r\n")
        with pytest.raises(CommandError):
            protocol.send(commands.auth("PLAIN", b"eA=="))

    def test_334_asks_for_more(self) -> None:
        answer = answered(in_tls(), commands.auth("LOGIN"), b"334 VXNlcm5hbWU6\r\n")
        assert answer.outcome is AnswerOutcome.GO_ON
        assert answer.texts == (b"VXNlcm5hbWU6",)


class TestPipelining:
    def test_mail_rcpt_and_data_go_in_one_flight(self) -> None:
        protocol = in_tls()
        octets = protocol.send(*FLIGHT)
        assert octets.count(b"\r\n") == 3
        answers = feed(protocol, b"250 a\r\n250 b\r\n354 c\r\n")
        assert [answer.verb for answer in answers] == [Verb.MAIL, Verb.RCPT, Verb.DATA]
        assert protocol.state is ProtocolState.CONTENT

    def test_quit_may_ride_behind_the_message(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"250 a\r\n250 b\r\n354 c\r\n")
        assert protocol.send(END, commands.QUIT) == b"QUIT\r\n"
        answers = feed(protocol, b"250 queued\r\n221 bye\r\n")
        assert [answer.verb for answer in answers] == [Verb.END, Verb.QUIT]

    def test_the_next_transaction_may_begin_behind_the_message(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"250 a\r\n250 b\r\n354 c\r\n")
        assert protocol.send(END, *FLIGHT).count(b"\r\n") == 3
        answers = feed(protocol, b"554 refused\r\n250 a\r\n250 b\r\n354 c\r\n")
        assert [answer.verb for answer in answers] == [Verb.END, Verb.MAIL, Verb.RCPT, Verb.DATA]
        assert protocol.state is ProtocolState.CONTENT

    def test_a_goodbye_to_the_message_ends_what_was_begun_behind_it(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"250 a\r\n250 b\r\n354 c\r\n")
        protocol.send(END, *FLIGHT)
        (answer,) = feed(protocol, b"421 bye\r\n")
        assert (answer.verb, answer.outcome) == (Verb.END, AnswerOutcome.REFUSED)
        assert protocol.state is ProtocolState.CLOSED

    @pytest.mark.parametrize("behind", [(commands.DATA,), (*FLIGHT, END), (commands.RSET,)])
    def test_nothing_else_may_follow_behind_the_message(self, behind: tuple[Command, ...]) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"250 a\r\n250 b\r\n354 c\r\n")
        with pytest.raises(CommandError):
            protocol.send(END, *behind)

    def test_without_pipelining_nothing_may_follow_behind_the_message(self) -> None:
        protocol = in_tls(b"250 mail.example.test\r\n")
        for command, reply in zip(FLIGHT, (b"250 a", b"250 b", b"354 c"), strict=True):
            answered(protocol, command, reply + b"\r\n")
        with pytest.raises(CommandError):
            protocol.send(END, *FLIGHT)

    def test_nothing_rides_behind_data(self) -> None:
        protocol = in_tls()
        with pytest.raises(CommandError):
            protocol.send(*FLIGHT, END)

    def test_nothing_rides_behind_ehlo(self) -> None:
        protocol = ClientProtocol(tls_from_start=True)
        feed(protocol, b"220 x\r\n")
        with pytest.raises(CommandError):
            protocol.send(commands.ehlo("me"), commands.auth("PLAIN", b"eA=="))

    def test_what_was_announced_before_tls_does_not_count_after_it(self) -> None:
        protocol = in_plain_text(b"250-x\r\n250-PIPELINING\r\n250 STARTTLS\r\n")
        answered(protocol, commands.STARTTLS, b"220 go\r\n")
        protocol.begin_tls()
        answered(protocol, commands.ehlo("me"), b"250 x\r\n")
        with pytest.raises(CommandError):
            protocol.send(*FLIGHT)

    def test_after_a_refused_sender_the_next_flight_begins_with_rset(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"550 a\r\n503 b\r\n503 c\r\n")
        assert protocol.state is ProtocolState.STALE
        with pytest.raises(CommandError):
            protocol.send(FLIGHT[0])
        protocol.send(commands.RSET, *FLIGHT)
        answers = feed(protocol, b"250 r\r\n250 a\r\n250 b\r\n354 c\r\n")
        assert answers[-1].outcome is AnswerOutcome.GO_ON

    def test_a_server_that_wants_a_message_for_nobody_can_be_given_a_dot(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        feed(protocol, b"550 a\r\n250 b\r\n354 c\r\n")
        assert protocol.state is ProtocolState.CONTENT
        assert protocol.send(END) == b""

    def test_a_fourth_reply_to_three_commands_is_a_violation(self) -> None:
        protocol = in_tls()
        protocol.send(*FLIGHT)
        protocol.receive(b"250 a\r\n250 b\r\n354 c\r\n250 queued\r\n")
        for _ in FLIGHT:
            protocol.next_answer()
        with pytest.raises(ViolationError, match="unexpected_reply"):
            protocol.send(END)


def _told(replies: bytes, cuts: list[int]) -> list[str]:
    """What a protocol makes of bytes that come in these pieces."""
    protocol = in_tls()
    protocol.send(*FLIGHT)
    told: list[str] = []
    places = sorted({min(cut, len(replies)) for cut in cuts} | {0, len(replies)})
    try:
        for start, end in zip(places, [*places[1:], len(replies)], strict=True):
            protocol.receive(replies[start:end])
            while (answer := protocol.next_answer()) is not None:
                told.append(f"{answer.verb} {answer.outcome} {answer.reply}")
        protocol.receive_end()
    except ViolationError as error:
        told.append(str(error.violation))
    return told


REPLIES = st.lists(
    st.sampled_from(
        [b"250 ok\r\n", b"250-a\r\n", b"354 go\r\n", b"550 no\n", b"421 x\r\n", b"25", b"\r", b"\n"]
    )
    | st.binary(max_size=20),
    max_size=12,
).map(b"".join)


@hostile
@hypothesis.given(REPLIES, st.lists(st.integers(0, 300), max_size=8))
def test_any_bytes_in_any_pieces_are_told_alike(replies: bytes, cuts: list[int]) -> None:
    assert _told(replies, cuts) == _told(replies, [])
