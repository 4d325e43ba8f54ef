"""Names in certificates, as a person would say them."""

from smtp_desk.core.findings.wording import plain_name
from tests.table import each_row


@each_row(
    ("name", "said"),
    [
        ("CN=Example CA,O=Example Ltd", "Example CA (Example Ltd)"),
        ("C=DE, O=Example Ltd, CN=Example CA", "Example CA (Example Ltd)"),
        ("CN=mail.example.org", "mail.example.org"),
        ("OU=Post,O=Example Ltd", "Example Ltd"),
        (r"CN=Example\, Ltd\+,O=A\=B", "Example, Ltd+ (A=B)"),
        ("CN=one+CN=other,2.5.4.97=VAT", "one, other"),
        ("CN=,O=Example Ltd", "Example Ltd"),
        ("OU=Post,C=DE", "OU=Post,C=DE"),
        ("Example CA", "Example CA"),
        ("CN=Example CA,oops", "CN=Example CA,oops"),
        ("CN=Example CA,", "CN=Example CA,"),
        ("CN=Example CA\\", "CN=Example CA\\"),
        ("", ""),
    ],
)
def test_a_name_as_said(name: str, said: str) -> None:
    assert plain_name(name) == said
