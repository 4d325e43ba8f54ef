"""The look of a password tells nothing of it."""

from smtp_desk.core.findings.providers import PasswordShape, password_shape
from smtp_desk.core.secret import Secret
from tests.table import each_row


@each_row(
    ("password", "shape"),
    [
        ("", "none"),
        ("abcd efgh ijkl mnop", "grouped"),
        (" abcd efgh  ijkl mnop ", "grouped"),
        ("abcdefghijklmnop", "app_password"),
        ("abcd-efgh-ijkl-mnop", "app_password"),
        ("secret ", "surrounded"),
        ("\tsecret", "surrounded"),
        ("correct horse battery", "other"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "iam_secret"),
        ("eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJodHRwcyJ9.c2ln", "token"),
        ("ya29.a0AfH6SMBx", "token"),
        ("abcdefghijklmno", "other"),
    ],
)
def test_shape(password: str, shape: str) -> None:
    assert password_shape(Secret(password)) == shape


def test_no_password() -> None:
    assert password_shape(None) is PasswordShape.NONE
