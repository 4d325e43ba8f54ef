"""Submit by the standard library, as any client does."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

RECIPIENTS = ("ann@example.org", "reject@example.org")


def submit(
    address: tuple[str, int],
    context: ssl.SSLContext,
    login: tuple[str, str],
    mail: bytes,
    *,
    implicit: bool,
) -> dict[str, Any]:
    """Send to `RECIPIENTS`, and return who was refused."""
    if implicit:
        client: smtplib.SMTP = smtplib.SMTP_SSL(*address, context=context)
    else:
        client = smtplib.SMTP(*address)
        client.starttls(context=context)
    with client:
        client.login(*login)
        return dict(client.sendmail("desk@example.test", RECIPIENTS, mail))
