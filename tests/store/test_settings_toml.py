"""The file's text gives back what was put in, and keeps what we do not know."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from smtp_desk.core.proof import Proof
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod, CaFile, Security, SettingsDraft
from smtp_desk.core.validation import InvalidDraftError, parse
from smtp_desk.store.settings_toml import (
    BadValueError,
    NewerSchemaError,
    ca_name,
    decode,
    encode,
)
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    Preferences,
    StoredServer,
    StoredSettings,
    SystemRules,
    Uncertain,
)
from tests.store.settings import NEW, OLD, RELAY
from tests.table import each_row

PROOF = Proof(2, "00ff", "ab", "cd", "ef")
SERVER = StoredServer(OLD, Security.STARTTLS, "key", PROOF)
FULL = StoredSettings(
    enabled=True,
    server=StoredServer(
        replace(
            NEW,
            security=Security.TLS,
            ca_pem="the CA",
            ehlo_name="desk.example.org",
            auth_method=AuthMethod.CRAM_MD5,
        ),
        Security.TLS,
        "key",
        PROOF,
    ),
    preferences=Preferences("Example, Inc.", "ann@example.org", "de", "dark"),
    default=DefaultService(
        DefaultKind.SMTP,
        "/usr/sbin/sendmail",
        "desk@corp.local",
        StoredServer(RELAY, Security.STARTTLS, "", None),
    ),
    uncertain=Uncertain.HOLD,
    outbox="postgresql://desk@db.example.org/mail",
)


def ca_content(name: str) -> str:
    return {ca_name("the CA"): "the CA"}.get(name, "")


def test_empty() -> None:
    assert decode("", ca_content) == StoredSettings()
    assert decode("# only a comment\n", ca_content) == StoredSettings()


@each_row(
    "stored",
    [
        StoredSettings(),
        StoredSettings(enabled=True),
        StoredSettings(server=SERVER),
        StoredSettings(server=SERVER, uncertain=Uncertain.HOLD),
        StoredSettings(preferences=Preferences(theme="light", text_size="125")),
        StoredSettings(default=DefaultService(DefaultKind.SENDMAIL, "/x", "a@example.org")),
        FULL,
    ],
)
def test_round_trip(stored: StoredSettings) -> None:
    text = encode("", stored)
    assert decode(text, ca_content) == stored
    assert encode(text, stored) == text
    # From any other state it comes to the same values.
    assert decode(encode(encode("", FULL), stored), ca_content) == stored


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(preferences=st.builds(Preferences, TEXT, TEXT, TEXT, TEXT))
def test_any_text(preferences: Preferences) -> None:
    stored = StoredSettings(preferences=preferences)
    assert decode(encode("", stored), ca_content) == stored


DRAFTS = st.builds(
    SettingsDraft,
    host=st.sampled_from(
        ["mail.example.org", "MAIL.example.org", "bücher.example", "[::1]", "::1"]
    ),
    port=st.integers(1, 65535).map(str),
    username=TEXT,
    secret=st.sampled_from([Secret(""), Secret("x")]),
    from_name=TEXT,
    from_email=st.builds(
        "{}@{}".format,
        st.text("abcöü.+-", min_size=1, max_size=8),
        st.sampled_from(["example.org", "EXAMPLE.org", "bücher.example", "corp.local"]),
    ),
    ehlo_name=st.sampled_from(["", "desk.example.org", "[127.0.0.1]", "[IPv6:::1]"]),
    per_hour=st.sampled_from(["", "1", "9999999"]),
)


@given(draft=DRAFTS)
def test_all_that_the_form_accepts(draft: SettingsDraft) -> None:
    try:
        settings = parse(draft, CaFile()).settings
    except InvalidDraftError:
        reject()
    key = "key" if settings.username else ""
    stored = StoredSettings(server=StoredServer(settings, Security.STARTTLS, key, PROOF))
    assert decode(encode("", stored), ca_content) == stored


def test_keeps_what_it_does_not_know() -> None:
    text = """\
# Ours. Ask the mail administrator.
schema = 2
enabled   =   false  # not yet
new_key = [1, 2]

[server]
host = 'old.example.test'
port = 0x24b # 587
from_email = "desk@example.org"
color = "blue"  # whatever that is

[plugin.settings]
x = 1979-05-27T07:32:00Z
"""
    stored = decode(text, ca_content)
    assert encode(text, stored).startswith(text.partition("color")[0])
    changed = encode(text, replace(stored, enabled=True, server=SERVER))
    assert decode(changed, ca_content) == replace(stored, enabled=True, server=SERVER)
    for kept in (
        "# Ours. Ask the mail administrator.\n",
        "enabled   =   true  # not yet\n",
        "new_key = [1, 2]\n",
        "host = 'old.example.test'\n",
        "port = 0x24b # 587\n",
        'color = "blue"  # whatever that is\n',
        "[plugin.settings]\nx = 1979-05-27T07:32:00Z\n",
    ):
        assert kept in changed


def test_the_outbox_of_many_machines_goes_above_every_table_and_out_of_sight() -> None:
    text = encode("", StoredSettings(server=SERVER))
    assert "outbox" not in text
    named = StoredSettings(server=SERVER, outbox="postgresql://desk:s3cret@db.example.org/mail")
    assert encode(text, named).index("outbox =") < encode(text, named).index("[server]")
    assert "s3cret" not in repr(named)
    with pytest.raises(BadValueError, match="outbox should be text in quotes"):
        decode("schema = 1\noutbox = 7\n", lambda _: "")


def test_uncertain_goes_beside_the_switch_of_an_older_file() -> None:
    text = encode("", StoredSettings(server=SERVER))
    assert "uncertain" not in text
    held = encode(text, StoredSettings(server=SERVER, uncertain=Uncertain.HOLD))
    assert held.index('uncertain = "hold"') < held.index("[server]")
    assert 'uncertain = "resend"' in encode(held, StoredSettings(server=SERVER))


def test_keeps_the_tables_of_preferences_and_default() -> None:
    text = encode("", FULL).replace("[preferences]", "[preferences]\nfont = 'large'")
    assert "font = 'large'" in encode(text, StoredSettings())


@pytest.mark.parametrize(
    "line",
    ["ca_file = '/etc/ssl/ca.pem'", "ca_file = '../ca.pem'", "ca_file = 'ca-0123456789ab.pem'"],
)
def test_a_ca_that_is_no_copy_of_ours_counts_as_none(line: str) -> None:
    text = encode("", StoredSettings(server=SERVER)).replace('key = "key"', f'key = "key"\n{line}')
    assert decode(text, ca_content) == StoredSettings(server=SERVER)


def test_the_first_schema_is_read_and_written_as_this_one() -> None:
    proof = Proof(1, "00ff", given="ab")
    stored = StoredSettings(server=replace(SERVER, proof=proof))
    text = encode("", stored).replace("schema = 2", "schema = 1")
    assert 'proof = {version = 1, salt = "00ff", mac = "ab"}' in text
    assert decode(text, ca_content) == stored
    assert encode(text, stored).startswith("schema = 2\n")


def test_newer_schema() -> None:
    with pytest.raises(NewerSchemaError, match="schema 3, but this version only knows 2"):
        decode("schema = 3\nserver = 'new shape'", ca_content)


@each_row(
    ("old", "new", "words"),
    [
        ("schema = 2", "", "schema should be a number"),
        ("schema = 2", "schema = 0", "schema 0 doesn’t exist"),
        ("schema = 2", "schema = true", "schema should be a number"),
        ("schema = 2", "schema = '1'", "schema should be a number"),
        ("enabled = true", "enabled = 1", "enabled should be true or false"),
        ("enabled = true", "enabled = 'yes'", "enabled should be true or false"),
        ("port = 465", "port = '465'", "server.port should be a number"),
        ("port = 465", "port = 465.0", "server.port should be a number"),
        ("port = 465", "", "server.port should be a number"),
        ("port = 465", "port = 70000", "server.port: port.range"),
        ("port = 465", "port = -1", "server.port: port.not_number"),
        ('"new.example.test"', "587", "server.host should be text in quotes"),
        ('"new.example.test"', '"https://example.test"', "server.host: host"),
        ('"new.example.test"', '""', "server.host: "),
        ('"bo@example.org"', '""', "username: credentials.no_username"),
        ('"bo@example.org"', '"bo\\u0000"', "username: control_character"),
        ('mode = "tls"', 'mode = "plain"', "server.mode should be one of auto, starttls, tls"),
        ('security = "tls"', 'security = "none"', "server.security: choice"),
        ('"cram-md5"', '"xoauth2"', "server.auth_method: choice"),
        (
            "proof = {version = 2",
            "proof = {version = '1'",
            "server.proof.version should be a number",
        ),
        ('salt = "00ff"', "salt = 255", "server.proof.salt should be text in quotes"),
        ('uncertain = "hold"', 'uncertain = "holds"', "uncertain should be one of resend, hold"),
        ('uncertain = "hold"', "uncertain = true", "uncertain should be text in quotes"),
        *(
            (
                'uncertain = "hold"',
                f"{name} = {value}",
                f"{name} should be a number from 1 to 3660",
            )
            for name in ("keep_keys_days", "keep_emails_days")
            for value in ("0", "-1", "3661", "99999999999")
        ),
        ('uncertain = "hold"', 'keep_keys_days = "7"', "keep_keys_days should be a number"),
        (
            'kind = "smtp"',
            'kind = "pigeon"',
            "default.kind should be one of outbox, sendmail, smtp",
        ),
        ("port = 25", "port = 0", "default.server.port: port.range"),
        ('theme = "dark"', "theme = false", "preferences.theme should be text in quotes"),
    ],
)
def test_bad_values_are_named(old: str, new: str, words: str) -> None:
    text = encode("", FULL)
    assert old in text
    with pytest.raises(BadValueError, match=words):
        decode(text.replace(old, new, 1), ca_content)


def test_whom_to_notify_had_no_table_of_its_own() -> None:
    old = 'schema = 2\nenabled = false\n[preferences]\ntell_address = "ann@example.org"\n'
    stored = decode(old, ca_content)
    assert stored.preferences.notify == "ann@example.org"
    text = encode(old, stored)
    assert "tell_address" not in text
    assert '[notify]\naddress = "ann@example.org"\n' in text
    assert decode(text, ca_content) == stored
    alerted = replace(stored, alerts="alerts-1")
    assert decode(encode(text, alerted), ca_content) == alerted
    assert "alerts = " not in encode(encode(text, alerted), stored)
    assert alerted.keys == {"alerts-1"}


def test_rules_for_the_whole_system_come_by_hand_and_stay() -> None:
    by_hand = '[system]\ntrusted_users = ["www-data"]\nemails_per_hour = 7 # few\n'
    text = f"{encode('', StoredSettings(server=SERVER))}\n{by_hand}"
    stored = decode(text, ca_content)
    assert stored.system == SystemRules(("www-data",), 7)
    assert encode(text, replace(stored, enabled=True)).endswith(by_hand)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('trusted_users = "www-data"', "system.trusted_users should be a list of quoted texts"),
        ("trusted_users = [33]", "system.trusted_users should be a list of quoted texts"),
        ("emails_per_hour = 0", "system.emails_per_hour should be a number of 1 or more"),
        ("message_octets = 1.5", "system.message_octets should be a number"),
    ],
)
def test_bad_rules_are_named(line: str, words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        decode(f"schema = 2\n[system]\n{line}\n", ca_content)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("schema = " + "9" * 5000, "number that’s too large"),
        ("schema = 0x" + "f" * 5000, "schema should be a number"),
        ("schema = 1\n[server]\nport = 0x" + "f" * 5000, "server.port should be a number"),
    ],
)
def test_what_no_parser_can_hold_is_a_bad_value(text: str, words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        decode(text, ca_content)


@pytest.mark.parametrize("table", ["server", "preferences", "default"])
def test_a_table_is_expected(table: str) -> None:
    with pytest.raises(BadValueError, match=f"{table} should be a table"):
        decode(f"schema = 1\n{table} = 3", ca_content)


def test_no_toml() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        decode("schema = ", ca_content)
    with pytest.raises(ValueError, match="line 1"):
        encode("schema = ", StoredSettings())


@pytest.mark.parametrize(("name", "usual"), [("keep_keys_days", 7), ("keep_emails_days", 30)])
def test_how_long_a_thing_is_kept_stays_in_the_file(name: str, usual: int) -> None:
    text = f"schema = 2\nenabled = false\n{name} = 40\n"
    stored = decode(text, ca_content)
    assert getattr(stored, name) == 40
    assert getattr(decode(encode(text, replace(stored, enabled=True)), ca_content), name) == 40
    assert getattr(decode("schema = 2\nenabled = false\n", ca_content), name) == usual
