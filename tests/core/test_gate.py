"""The Save gate and the outcome line, path by path."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.gate import Outcome, SaveGate, SaveHint
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import ServerSettings, Snapshot
from smtp_desk.core.texts import OUTCOMES, SAVE_HINTS
from tests.table import each_row

SETTINGS = ServerSettings(host="mail.example.test", port=587, from_email="ann@example.test")
TYPED = Snapshot(SETTINGS, Secret("pa ss"))
STORED = Snapshot(SETTINGS, StoredSecret("key-1"))
OTHER = Snapshot(replace(SETTINGS, port=465), Secret("pa ss"))


def same(values: Snapshot) -> Snapshot:
    """The same values, typed anew."""
    assert isinstance(values.secret, Secret)
    return Snapshot(replace(values.settings), Secret(values.secret.reveal()))


def test_nothing_tested_is_closed_and_says_what_to_do() -> None:
    gate = SaveGate()
    assert not gate.may_save(TYPED)
    assert gate.outcome(TYPED) is None
    assert SAVE_HINTS[gate.save_hint(TYPED)] == "Send a successful test email first."


def test_a_passed_test_opens_save_for_its_values_only() -> None:
    gate = SaveGate().test_started(TYPED).test_passed(TYPED)
    assert gate.may_save(same(TYPED))
    shown = gate.outcome(TYPED)
    assert shown is not None
    assert OUTCOMES[shown] == "Test email sent successfully"
    assert gate.save_hint(TYPED) is SaveHint.NONE
    assert not gate.may_save(OTHER)
    assert not gate.may_save(None)


def test_typing_a_change_closes_and_typing_it_back_opens() -> None:
    gate = SaveGate().test_passed(TYPED).edited()
    assert not gate.may_save(OTHER)
    assert gate.outcome(OTHER) is Outcome.CHANGED
    assert gate.save_hint(OTHER) is SaveHint.CHANGED
    assert gate.may_save(same(TYPED))
    assert gate.outcome(same(TYPED)) is Outcome.SUCCESS


@each_row("change", ["host", "from_name", "ehlo_name", "ca_pem", "username"])
def test_every_smtp_field_counts(change: str) -> None:
    gate = SaveGate().test_passed(TYPED)
    assert not gate.may_save(Snapshot(replace(SETTINGS, **{change: "x"}), TYPED.secret))  # type: ignore[arg-type]


def test_the_secret_counts() -> None:
    gate = SaveGate().test_passed(TYPED)
    assert not gate.may_save(Snapshot(SETTINGS, Secret("pa ss ")))


def test_a_result_that_arrives_while_the_form_differs_opens_nothing() -> None:
    gate = SaveGate().test_started(TYPED).edited().test_passed(TYPED)
    assert not gate.may_save(OTHER)
    assert gate.outcome(OTHER) is Outcome.CHANGED


def test_an_edit_during_the_test_shows_the_third_text() -> None:
    gate = SaveGate().test_started(TYPED).edited()
    assert gate.outcome(OTHER) is Outcome.CHANGED
    assert gate.outcome(None) is Outcome.CHANGED
    assert gate.outcome(TYPED) is None


def test_a_failed_test_shows_the_second_text_for_its_values() -> None:
    gate = SaveGate().test_started(TYPED).test_failed(TYPED)
    shown = gate.outcome(TYPED)
    assert shown is not None
    assert OUTCOMES[shown] == "Could not reach the SMTP server. Verify the host and port."
    assert gate.save_hint(TYPED) is SaveHint.NEEDS_TEST
    assert gate.outcome(OTHER) is Outcome.CHANGED
    assert not gate.may_save(TYPED)


def test_a_later_failed_test_of_the_proven_values_withdraws_the_proof() -> None:
    gate = SaveGate().test_passed(TYPED).test_failed(same(TYPED))
    assert not gate.may_save(TYPED)
    assert gate.outcome(TYPED) is Outcome.UNREACHABLE


def test_a_failed_test_of_other_values_leaves_the_proof() -> None:
    gate = SaveGate().test_passed(TYPED).test_failed(OTHER)
    assert gate.may_save(TYPED)
    assert gate.outcome(TYPED) is Outcome.SUCCESS


def test_a_cancelled_test_withdraws_nothing() -> None:
    gate = SaveGate().test_passed(TYPED).test_started(TYPED).test_cancelled()
    assert gate.may_save(TYPED)
    assert SaveGate().test_started(TYPED).test_cancelled().outcome(TYPED) is None


def test_a_passed_test_after_a_failed_one_opens() -> None:
    gate = SaveGate().test_failed(TYPED).test_passed(TYPED)
    assert gate.may_save(TYPED)
    assert gate.failed is None


def test_saving_closes_until_the_next_edit() -> None:
    gate = SaveGate().test_passed(TYPED).save_done(STORED)
    for spelling in (TYPED, STORED):
        assert not gate.may_save(spelling)
        assert SAVE_HINTS[gate.save_hint(spelling)] == "All changes saved"
        assert gate.outcome(spelling) is Outcome.SUCCESS
        assert gate.edited().may_save(spelling)
    assert gate.edited().outcome(OTHER) is Outcome.CHANGED


def test_saving_closes_until_the_next_test() -> None:
    gate = SaveGate().test_passed(TYPED).save_done(STORED).test_passed(STORED)
    assert gate.may_save(STORED)
    assert gate.may_save(TYPED)


def test_saving_twice_keeps_one_spelling_of_each() -> None:
    gate = SaveGate().test_passed(TYPED).save_done(STORED).test_passed(STORED).save_done(STORED)
    assert gate.proven == (TYPED, STORED)


def test_loaded_settings_are_proven_but_not_by_this_session() -> None:
    gate = SaveGate.loaded(STORED)
    assert not gate.may_save(STORED)
    assert gate.outcome(STORED) is None
    assert gate.save_hint(STORED) is SaveHint.ALL_SAVED
    assert gate.outcome(OTHER) is Outcome.CHANGED
    assert gate.edited().may_save(STORED)


def test_nothing_loaded_is_an_empty_gate() -> None:
    assert SaveGate.loaded(None) == SaveGate()


def test_going_back_to_what_is_saved_leaves_nothing_to_save() -> None:
    gate = SaveGate.loaded(STORED).edited().reverted()
    assert not gate.may_save(STORED)
    assert gate.save_hint(STORED) is SaveHint.ALL_SAVED
    assert SaveGate().reverted() == SaveGate()


def test_a_failed_test_of_saved_values_says_that_a_test_is_needed() -> None:
    gate = SaveGate.loaded(STORED).test_failed(STORED)
    assert gate.save_hint(STORED) is SaveHint.NEEDS_TEST
    assert gate.outcome(STORED) is Outcome.UNREACHABLE


def test_saved_values_proven_again_keep_both_spellings() -> None:
    gate = SaveGate().test_passed(TYPED).save_done(STORED).test_passed(OTHER).test_passed(TYPED)
    assert gate.may_save(STORED)


def test_removal_forgets_everything_but_the_running_test() -> None:
    gate = SaveGate().test_passed(TYPED).save_done(STORED).test_started(OTHER).removed()
    assert gate == SaveGate(running=OTHER)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["started", "passed", "failed", "cancelled", "edited", "saved", "reverted"]
        ),
        st.sampled_from([TYPED, OTHER]),
    )
)


@given(events=EVENTS, form=st.sampled_from([TYPED, OTHER, None]))
def test_whatever_happens_save_is_open_only_for_the_last_proven_values(
    events: list[tuple[str, Snapshot]], form: Snapshot | None
) -> None:
    gate, proven = SaveGate(), None
    for event, values in events:
        match event:
            case "started":
                gate = gate.test_started(values)
            case "passed":
                gate, proven = gate.test_passed(values), values
            case "failed":
                gate, proven = gate.test_failed(values), None if proven == values else proven
            case "cancelled":
                gate = gate.test_cancelled()
            case "edited":
                gate = gate.edited()
            case "reverted":
                gate = gate.reverted()
            case _ if gate.may_save(values):
                gate = gate.save_done(Snapshot(values.settings, StoredSecret("key")))
    if gate.may_save(form):
        assert form == proven
    if gate.outcome(form) is Outcome.SUCCESS:
        assert form == proven
