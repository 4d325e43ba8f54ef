"""The words of replies in English."""

from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.pattern import plain
from smtp_desk.core.stages import Stage
from tests.core import replies
from tests.table import each_row

_CATALOGUE: Final = replies.load_catalogue()
_LANGUAGES: Final = replies.load_languages()


@each_row(
    ("said", "english"),
    [
        ("Absender gesperrt", "sender blocked"),
        ("El límite diario fue superado", "el limit daily fue exceeded"),
        ("la boîte est pleine.", "la mailbox is full ."),
        ("gönderici adresi engellendi", "sender address blocked"),
        ("отправитель заблокирован", "sender blocked"),
        ("发件人被列入黑名单", "sender blacklist"),
        ("ドメインが存在しません", "domain does not exist"),
        ("일일 발송 한도를 초과했습니다", "daily sending limit exceeded"),
        ("hộp thư đã đầy", "mailbox full"),
        ("ip адрес запрещен", "ip address forbidden"),
    ],
)
def test_words_are_told_in_english_in_their_order(said: str, english: str) -> None:
    assert _LANGUAGES.in_english(plain(said).lower()) == english


@each_row(
    "said",
    [
        "no such user here",
        "the mailbox is full, de facto",
        "service active; verification of the sender is supported, not limited, relaying refused",
        "",
        "4.7.1",
        "mistake in the discovered erratic negative brake",
    ],
)
def test_english_is_left_alone(said: str) -> None:
    assert _LANGUAGES.in_english(said) is None


def test_what_two_languages_say_is_read_as_it_stands_first() -> None:
    said = "550 Boîte pleine. User unknown"
    failure = SmtpFailure(Stage.RECIPIENT, reply=replies.reply_of(said))
    assert _CATALOGUE.find(failure, {}).code in {"recipient.mailbox_full", "recipient.unknown"}


def test_two_causes_name_none_in_any_language() -> None:
    said = "550 Virus gefunden, Tageslimit erreicht"
    failure = SmtpFailure(Stage.MESSAGE, reply=replies.reply_of(said))
    assert _CATALOGUE.find(failure, {}).code == "message.refused"
