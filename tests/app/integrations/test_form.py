"""The form behind the page: what it holds, when it complains."""

from dataclasses import replace
from datetime import date
from typing import Any

from smtp_desk.app.integrations.form import Form
from smtp_desk.app.integrations.form_offers import Offer, offers_of
from smtp_desk.core.oauth import OAuthDraft
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import CaFile, ServerSettings, SettingsDraft
from smtp_desk.core.validation import parse

TODAY = date(2026, 12, 1)
SAVED = ServerSettings(
    host="mail.example.com", port=587, from_email="desk@example.com", username="desk"
)
DRAFT = SettingsDraft(
    host="mail.example.com",
    username="desk",
    secret=StoredSecret("key"),
    from_email="desk@example.com",
)


def now(form: Form, name: str) -> Any:  # noqa: ANN401 - whatever the property is
    """Read a property anew; a type checker takes it for unchanged between two lines."""
    return getattr(form, name)


def loaded() -> Form:
    form = Form(lambda: TODAY)
    form.load(DRAFT, saved=SAVED)
    return form


def test_only_smtp_fields_change_the_draft() -> None:
    form = Form(lambda: TODAY)
    assert not form.edit(Field.RECIPIENT, "ann@example.com")
    assert form.recipient == "ann@example.com"
    assert form.edit(Field.HOST, "a")
    assert not form.edit(Field.HOST, "a")
    assert form.edit(Field.PASSWORD, "x")
    assert form.draft.secret == Secret("x")


def test_a_named_ca_file_counts_only_once_it_was_read() -> None:
    form = loaded()
    form.edit(Field.CA_FILE, "ca.pem")
    assert now(form, "values") is None
    form.cas.remember(CaFile("other.pem", "PEM"))
    assert now(form, "values") is None
    form.cas.remember(CaFile("ca.pem", "PEM"))
    form.edit(Field.PASSWORD, "typed")
    assert now(form, "values")
    assert now(form, "values").settings.ca_pem == "PEM"
    assert form.cas.read(" ca.pem ") == CaFile("ca.pem", "PEM")


def test_a_ca_that_was_trusted_for_a_host_serves_that_host_only() -> None:
    form = loaded()
    form.edit(Field.PASSWORD, "typed")
    form.cas.remember(CaFile("ca.pem", "PEM"), DRAFT.host)
    form.edit(Field.CA_FILE, "ca.pem")
    assert now(form, "values")
    form.edit(Field.HOST, "other.example.com")
    assert now(form, "values") is None
    assert "ca_file.other_host" in [problem.code for problem in form.visible_problems]
    assert form.testable.ca_file == ""
    form.cas.remember(CaFile("ca.pem", "PEM"))
    assert now(form, "values") is None, "reading it again trusts it for no other host"
    form.edit(Field.CA_FILE, "")
    assert now(form, "values")


def test_the_stored_secret_belongs_to_one_server() -> None:
    form = loaded()
    assert now(form, "values")
    form.edit(Field.HOST, "other.example.com")
    assert now(form, "values") is None
    assert [problem.code for problem in form.errors] == ["password.stored_elsewhere", "email.empty"]
    form.edit(Field.HOST, "MAIL.example.com")
    assert now(form, "values")


def test_a_stored_secret_without_saved_settings_is_good_for_nothing() -> None:
    form = Form(lambda: TODAY)
    form.load(DRAFT)
    assert now(form, "values") is None


def test_the_rest_of_the_form_is_judged_while_another_field_is_half_typed() -> None:
    form = loaded()
    form.edit(Field.PORT, "58x")
    assert "password.stored_elsewhere" not in {problem.code for problem in form.errors}
    form.edit(Field.PORT, "25")
    form.edit(Field.FROM_EMAIL, "half")
    assert "password.stored_elsewhere" in {problem.code for problem in form.errors}


def test_discard_and_rebase() -> None:
    form = loaded()
    form.edit(Field.FROM_NAME, "x")
    form.leave(*Field)
    assert now(form, "changed")
    form.discard()
    assert not now(form, "changed")
    assert form.visible_problems == ()
    form.rebase(replace(DRAFT, from_name="y"), SAVED)
    assert now(form, "changed")


def test_the_stored_password_can_be_taken_back() -> None:
    form = loaded()
    assert form.stored_secret is None
    form.edit(Field.PASSWORD, "x")
    assert now(form, "stored_secret") == StoredSecret("key")


def test_spaces_are_offered_to_be_removed_for_typed_passwords_only() -> None:
    form = loaded()
    assert Offer.PASSWORD_SPACES not in offers_of(form)
    form.edit(Field.HOST, "smtp.gmail.com")
    form.edit(Field.PASSWORD, "abcd efgh ijkl mnop")
    assert offers_of(form)[Offer.PASSWORD_SPACES] == {"secret": Secret("abcdefghijklmnop")}


APP = OAuthDraft(
    provider="microsoft",
    flow="app",
    client_id="0f8fad5b-d9cb-469f-a165-70867728950e",
    tenant="example.com",
    client_secret_expires="2026-11-01",
)


def dated() -> Form:
    """A form over saved settings, whose client secret should have expired a month ago."""
    draft = replace(DRAFT, auth_method="oauth", oauth=APP)
    form = Form(lambda: TODAY)
    form.edit(Field.RECIPIENT, "ann@example.com")
    form.load(draft, saved=parse(draft).settings)
    return form


def test_a_saved_day_that_has_passed_is_no_obstacle_but_a_new_one_is() -> None:
    form = dated()
    assert not now(form, "errors")
    assert now(form, "values")
    form.edit(Field.CLIENT_SECRET_EXPIRES, "2026-11-02")
    assert [each.code for each in now(form, "errors")] == ["oauth.expires_past"]
    assert now(form, "values") is None
    form.edit(Field.CLIENT_SECRET_EXPIRES, "2027-05-30")
    values = now(form, "values")
    assert values.settings.client_secret_expires == date(2027, 5, 30)
    form.discard()
    assert now(form, "values").settings.client_secret_expires == date(2026, 11, 1)


def test_another_day_leaves_the_stored_secret_where_it_belongs() -> None:
    form = dated()
    form.edit(Field.CLIENT_SECRET_EXPIRES, "2027-05-30")
    assert now(form, "changed")
    assert not now(form, "stored_elsewhere")


def test_a_new_secret_asks_for_a_new_day() -> None:
    form = dated()
    field = Field.CLIENT_SECRET_EXPIRES

    def told() -> list[str]:
        return [each.code for each in now(form, "visible_problems") if each.field is field]

    assert told() == []
    form.edit(Field.PASSWORD, "a new secret")
    assert told() == ["oauth.expires_of_stored"]
    assert now(form, "values"), "it is a notice"
    form.edit(field, "2027-05-30")
    assert told() == []
    form.edit(field, "")
    assert told() == []
    form.discard()
    assert told() == []
