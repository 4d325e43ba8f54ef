"""The Integrations page without a window, as a person would work it."""

from dataclasses import dataclass
from pathlib import Path

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.sandbox.server import Sandbox
from tests.app.faces import DeferredRunner, RememberingView


@dataclass
class Page:
    presenter: IntegrationsPresenter
    runner: DeferredRunner
    view: RememberingView
    services: Services

    def state(self) -> IntegrationsState:
        return self.view.states[-1]

    def fill(self, sandbox: Sandbox, ca_file: Path, **other: str) -> None:
        texts = {
            "host": "localhost",
            "port": str(sandbox.starttls_port),
            "username": sandbox.username,
            "password": sandbox.password.reveal(),
            "from_name": "Example",
            "from_email": "desk@sandbox.test",
            "ca_file": str(ca_file),
            "recipient": "ann@sandbox.test",
        }
        for name, text in (texts | other).items():
            self.presenter.edit(Field(name), text)
        self.runner.finish()

    def test(self) -> None:
        self.presenter.send_test()
        self.runner.finish()

    def save(self) -> None:
        self.presenter.save()
        self.runner.finish()


def open_page(services: Services, *, default: bool = False) -> Page:
    runner, view = DeferredRunner(), RememberingView()
    presenter = IntegrationsPresenter(services, runner, view, default=default)
    page = Page(presenter, runner, view, services)
    page.presenter.start()
    runner.finish()
    return page
