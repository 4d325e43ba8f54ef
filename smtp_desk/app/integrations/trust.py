"""Trusting a company CA: asked once, for one host, by digits that somebody else provides."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from smtp_desk.app.integrations.ca_offer import CaOffer, Typed
from smtp_desk.app.integrations.form import Form
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import quietly
from smtp_desk.app.runner import Runner
from smtp_desk.core.report import CheckReport
from smtp_desk.core.settings import CaFile
from smtp_desk.store.company_ca import TrustedCas

Changed: TypeAlias = Callable[[Notice | None], None]
"""Is told that the question changed, or with a notice that it was answered."""


class CaTrust:
    """From the question to the CA in the form.

    Attributes:
        offer: The CA that the person is asked about, or None.
    """

    def __init__(self, cas: TrustedCas, runner: Runner, form: Form, changed: Changed) -> None:
        self.offer: CaOffer | None = None
        self._cas = cas
        self._runner = runner
        self._form = form
        self._changed = changed

    def ask(self, report: CheckReport | None) -> None:
        """Ask about the CA that `report` offers, if the form still names its host."""
        offer = CaOffer.of(report)
        if offer is not None and offer.host == self._form.host:
            self.offer = offer
            self._changed(None)

    def confirm(self, typed: str) -> None:
        """Trust it if these are its digits; it becomes the CA file of the form."""
        offer = self.offer
        if offer is None or offer.compare(typed) is not Typed.RIGHT:
            return
        self.dismiss()

        def keep() -> CaFile:
            return CaFile(str(self._cas.add(offer.host, offer.pem)), offer.pem)

        def kept(ca: CaFile) -> None:
            self._form.cas.remember(ca, offer.host)
            self._form.fill(replace(self._form.draft, ca_file=ca.path))
            text = f"This CA is now trusted for {offer.host}. Send another test email."
            self._changed(Notice(text))

        self._runner.run(quietly(keep), on_done=kept, on_error=self._not_kept)

    def dismiss(self) -> None:
        """Stop asking, without trusting anything."""
        if self.offer is not None:
            self.offer = None
            self._changed(None)

    def _not_kept(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or type(error).__name__
        self._changed(Notice(f"The CA couldn’t be saved: {reason}.", error=True))
