"""Who is notified of outages and refused emails: an address, and alert services."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from smtp_desk.app.routes.default import address_problems
from smtp_desk.app.services import Services
from smtp_desk.core.reply import visible
from smtp_desk.core.secret import Secret
from smtp_desk.sender.alerts import parse_alert_urls, send_alert

_TITLE = "Test alert"
_BODY = "SMTP Desk can reach you here. It reports outages, and stored emails that were refused."


class InvalidNotifyError(ValueError):
    """The address can't be notified; the message says why."""


@dataclass(frozen=True, slots=True)
class NotifyState:
    """Who is notified.

    Attributes:
        address: The address; "" for nobody.
        services: The scheme of each alert URL; the rest of it is secret.
    """

    address: str
    services: tuple[str, ...]


def load_notify(services: Services) -> NotifyState:
    """Read who is notified.

    Raises:
        SettingsFileError: The settings can't be read.
        CredentialsUnavailableError: The keyring can't be used.
        AlertUrlError: A saved URL is refused.
    """
    urls = parse_alert_urls(services.store.alerts())
    address = services.store.load().preferences.notify
    return NotifyState(address, tuple(urlsplit(url).scheme for url in urls))


def notify_address(services: Services, address: str) -> None:
    """Save the address; "" for nobody.

    Raises:
        InvalidNotifyError: It isn't one.
        SaveError: It can't be saved.
    """
    text = address.strip()
    problems = [each.text for each in address_problems(text) if each.error] if text else []
    if problems:
        raise InvalidNotifyError(f"“{visible(text)}” can’t be notified. {' '.join(problems)}")
    store = services.store
    store.save_preferences(replace(store.load().preferences, notify=text))


def save_alert_urls(services: Services, text: Secret) -> None:
    """Save the URLs of alerts, one per line; none to send no alerts.

    Raises:
        AlertUrlError: One is refused; nothing was saved.
        SaveError: They can't be saved.
    """
    urls = parse_alert_urls(text)
    services.store.save_alerts(Secret("\n".join(urls)))


def add_alert_urls(services: Services, text: Secret) -> tuple[str, ...]:
    """Save further URLs, separated by spaces; return the scheme of each saved one.

    Raises:
        AlertUrlError: One is refused, or there are too many; nothing was saved.
        SaveError: They can't be saved.
        SettingsFileError: As `load_notify`.
        CredentialsUnavailableError: As `load_notify`.
    """
    new = "\n".join(text.reveal().split())
    parse_alert_urls(Secret(new))
    urls = parse_alert_urls(Secret(f"{services.store.alerts().reveal()}\n{new}"))
    services.store.save_alerts(Secret("\n".join(urls)))
    return tuple(urlsplit(url).scheme for url in urls)


def try_alerts(services: Services) -> list[tuple[str, str]]:
    """Send a test alert; return for each service its scheme, and what went wrong or "".

    Raises:
        SettingsFileError: As `load_notify`.
        CredentialsUnavailableError: As `load_notify`.
        AlertUrlError: As `load_notify`.
    """
    urls = parse_alert_urls(services.store.alerts())
    schemes = [urlsplit(url).scheme for url in urls]
    return list(zip(schemes, send_alert(urls, _TITLE, _BODY), strict=True))
