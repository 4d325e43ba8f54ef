"""What works behind a window: services, presenter, pages and the background thread."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Slot
from PySide6.QtWidgets import QFrame, QWidget

from smtp_desk.app.delivery.overview import OverviewPresenter, Threads
from smtp_desk.app.delivery.presenter import DeliveryPresenter
from smtp_desk.app.diagnostics.presenter import DiagnosisPresenter
from smtp_desk.app.email_types.presenter import EmailTypesPresenter
from smtp_desk.app.general.alerting import AlertsPresenter
from smtp_desk.app.general.presenter import GeneralPresenter
from smtp_desk.app.general.updating import UpdatesPresenter
from smtp_desk.app.integrations.earlier import EarlierPresenter
from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.logs import logging_to
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.proposals.presenter import FindPresenter
from smtp_desk.app.routes.default import DefaultState
from smtp_desk.app.routes.send_once import sending
from smtp_desk.core.problems import Field
from smtp_desk.sender.routes.route import DEFAULT
from smtp_desk.ui.delivery.view import DeliveryView
from smtp_desk.ui.diagnostics.view import DiagnosticsView
from smtp_desk.ui.email_types.view import EmailTypesView
from smtp_desk.ui.general.relay_dialog import RelayDialog
from smtp_desk.ui.general.view import GeneralView
from smtp_desk.ui.integrations.form import SettingsForm, make_fields
from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.leaving import Leaving
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.opener import Opener
from smtp_desk.ui.palette import Palette
from smtp_desk.ui.palette_entries import palette_entries
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import LineEdit
from smtp_desk.ui.widgets.icons import app_icon
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.theme import theme_of_application
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from smtp_desk.app.general.presenter import GeneralState
    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.app.page_presenter import PagePresenter
    from smtp_desk.app.services import Services
    from smtp_desk.core.findings.catalogue import Catalogue
    from smtp_desk.discovery.finder import Network
    from smtp_desk.store.stored import Preferences
    from smtp_desk.ui.main_window import MainWindow

_SANDBOX: Final = "Sandbox: nothing here reaches your settings, your keyring or real mailboxes."
_LOOK_MS: Final = 15_000
"""How often to look whether the server is out: other processes send, too."""

_DRAIN_ENDS_S: Final = 6.0

_log = logging.getLogger(__name__)


class Workshop(QObject):
    """Builds the pages of one window and keeps what they need.

    Attributes:
        presenter: Decides what the Integrations page shows.
        diagnosis: Decides what the Diagnostics page shows.
        navigation: The pages.
        menus: The menus.
        opener: Brings files to their pages.
    """

    presenter: IntegrationsPresenter
    diagnosis: DiagnosisPresenter
    navigation: Navigation
    menus: Menus
    opener: Opener

    def __init__(
        self,
        services: Services,
        window: MainWindow,
        network: Callable[[], Network] | None = None,
    ) -> None:
        """Create it; Find settings asks `network` instead of the internet: the sandbox."""
        # Qt deletes it with the window: a watcher of folders must end in the window's own thread,
        # and Python may collect what is left in any.
        super().__init__(window)
        self._services = services
        self._window = window
        self._theme = theme_of_application()
        self._open = contextlib.ExitStack()
        self._default = DefaultState()
        if not services.sandboxed:
            self._open.enter_context(logging_to(services.paths.logs))
        self._worker = Worker()
        # The outbox has a thread of its own: it shall not wait for the end of a test.
        self._outbox_worker = Worker()
        # A sample may be on its way for minutes.
        self._sample_worker = Worker()
        # A worker of this window works as long as the window is open.
        self._drain_worker = Worker()
        # A test shall not wait for the end of a search.
        self._find_worker = Worker()
        self._network = network
        self._relay: RelayDialog | None = None
        self._presenters: list[PagePresenter[Any] | FindPresenter] = []
        self._looking = QTimer(self)
        self._looking.setInterval(_LOOK_MS)

    def furnish(self) -> Iterator[None]:
        """Build what the window holds, in slices that are too short to be noticed."""
        content = self._make_navigation()
        yield
        fields = []
        for field in make_fields():
            fields.append(field)
            yield
        form = SettingsForm(fields)
        yield
        test = TestPanel(offer_details=True)
        yield
        self._view = IntegrationsView(
            self._theme, form=form, test=test, parent=self.navigation.pages
        )
        yield
        self.presenter = IntegrationsPresenter(self._services, self._worker, self._view)
        self._view.attach(self.presenter)
        self._presenters.append(self.presenter)
        self._build_finder()
        self._earlier = EarlierPresenter(
            self._services, self._outbox_worker, self._view, self.presenter
        )
        self._view.attach_earlier(self._earlier)
        self._presenters.append(self._earlier)
        self._looking.timeout.connect(self.presenter.look)
        self.menus = Menus(self._window, sandboxed=self._services.sandboxed)
        self._window.setWindowIcon(app_icon())
        yield
        self._window.setCentralWidget(content)
        yield
        yield from self.navigation.prepare("integrations")
        self.navigation.open_page("integrations")
        yield
        self._build_general()
        yield
        self._build_diagnostics()
        yield
        self.opener = Opener(self._window, self.navigation, self._diagnostics, self.diagnosis)
        self._presenters.append(self.opener.arrival)
        self._open.callback(self.opener.close)
        if not self._services.sandboxed:
            self._ask_before_closing()
        self._connect_menus()
        self._watch_settings()
        yield

    def prepare(self) -> Iterator[None]:
        """Build the other pages, too, so that each is there at once when it is opened."""
        for name in self.navigation.names:
            yield from self.navigation.prepare(name)

    def _make_navigation(self) -> QWidget:
        """Return what the window will hold: the pages, below a strip where they are a sandbox's.

        It and the pages have their parents at once: so they end with the window, in its thread,
        and get their style once.
        """
        holder = QWidget(self._window) if self._services.sandboxed else self._window
        self.navigation = Navigation(
            {
                "integrations": self._integrations,
                "email_types": self._email_types,
                "delivery": self._delivery_page,
                "diagnostics": self._diagnostics_page,
                "arrived": self._arrived_page,
                "general": self._general_page,
            },
            holder,
        )
        if holder is self._window:
            return self.navigation
        strip = QFrame()
        strip.setObjectName("sandbox_strip")
        inside = column(strip)
        inside.setContentsMargins(Space.L, Space.S, Space.L, Space.S)
        inside.addWidget(Label(_SANDBOX))
        layout = column(holder, 0)
        layout.addWidget(strip)
        layout.addWidget(self.navigation, 1)
        return holder

    def _build_finder(self) -> None:
        finding = FindPresenter(
            self._services,
            self._find_worker,
            self._view.finder,
            self.presenter.filling,
            self._network,
        )
        self._presenters.append(finding)
        self.presenter.subscribe(lambda _state: finding.form_changed())
        self._view.attach_finder(finding)

    def _build_general(self) -> None:
        self._general_view = GeneralView(parent=self.navigation.pages)
        self._general_view.relay_wanted.connect(self._open_relay)
        self._general = GeneralPresenter(self._services, self._worker, self._general_view)
        self._general.subscribe(self._follow_general)
        self._general_view.attach(self._general)
        alerts = AlertsPresenter(self._services, self._sample_worker, self._general_view)
        self._presenters.append(alerts)
        self._general_view.attach_alerts(alerts)
        updates = UpdatesPresenter(self._services, self._sample_worker, self._general_view)
        self._presenters.append(updates)
        self._general_view.attach_updates(updates)

    def _build_diagnostics(self) -> None:
        self._diagnostics = DiagnosticsView(parent=self.navigation.pages)
        self.diagnosis = DiagnosisPresenter(
            self._services, self._worker, self._diagnostics, self.presenter
        )
        self._presenters.append(self.diagnosis)
        self._diagnostics.attach(self.diagnosis)
        self.presenter.subscribe(self.diagnosis.follow)
        self._view.details_wanted.connect(self._show_details)
        self._diagnostics.integrations_wanted.connect(self._show_form)

    @property
    def catalogue(self) -> Catalogue:
        """The findings, for what can't be done here."""
        return self._services.catalogue

    @property
    def preferences(self) -> Preferences:
        """What the person has chosen on General."""
        return self._general.state.preferences

    def _connect_menus(self) -> None:
        menus = self.menus
        self.opener.listen(menus)
        menus.palette_wanted.connect(self._open_palette)
        menus.send_wanted.connect(self._send)
        menus.cancel_wanted.connect(self._cancel)
        menus.save_wanted.connect(self._save)
        menus.discard_wanted.connect(self._discard)

    def _watch_settings(self) -> None:
        """Look at once when the settings file changes; the timer catches what is not told."""
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._settings_touched)
        self._watcher.fileChanged.connect(self._settings_touched)
        self.presenter.subscribe(self._watch_saved)
        self._was_busy = Busy.NOTHING
        self._leads = False
        self._watch()

    def _watch(self) -> None:
        """Watch the folder, where files are replaced, and the file, which may change in place."""
        file = self._services.paths.settings_file
        known = {*self._watcher.files(), *self._watcher.directories()}
        for path in {str(file), str(file.parent)} - known:
            self._watcher.addPath(path)

    def _watch_saved(self, state: IntegrationsState) -> None:
        """Begin with the first save: before it there may be no folder."""
        if state.status.server is not None and not self._watcher.files():
            self._watch()
        if state.busy is not self._was_busy and not state.busy:
            self._earlier.load()
        self._was_busy, self._leads = state.busy, state.leads

    @Slot()
    def _settings_touched(self) -> None:
        self._watch()
        self.presenter.look()

    def start(self, filled: Mapping[Field, str]) -> None:
        """Show the first page and read what is saved; then type what is `filled` in."""
        self.navigation.take_focus()
        self.presenter.start()
        self._general.load()
        self._looking.start()
        # Behind the reading of what is saved, which would overwrite what was typed.
        self._worker.run(lambda _emit, _cancel: filled, on_done=self._begin, on_error=_not_filled)

    def _begin(self, filled: Mapping[Field, str]) -> None:
        """Type in what is `filled`; else lead who starts for the first time to the address.

        Whoever has gone elsewhere in the meantime stays there.
        """
        self._view.type_in(filled)
        undisturbed = self.navigation.has_focus and self.navigation.current == "integrations"
        if undisturbed and not filled and self._leads:
            self._view.focus_field(Field.FROM_EMAIL)

    def cancel(self) -> None:
        """The window closes: what was typed counts, what runs is cancelled."""
        for edit in self._window.findChildren(LineEdit):
            edit.leave()
        self._stop()

    def close(self) -> None:
        """Wait for what was cancelled, within bounds, and end."""
        self._stop()
        # What it has on its way gets some seconds to end, as in `smtp-desk worker`.
        self._drain_worker.close(_DRAIN_ENDS_S)
        self._sample_worker.close()
        self._outbox_worker.close()
        self._find_worker.close()
        if not self._worker.close():
            _log.warning("a job was left behind: it did not end in time")
        self._open.close()

    def _stop(self) -> None:
        self._looking.stop()
        for presenter in self._presenters:
            presenter.close()

    def _integrations(self) -> QWidget:
        return self._view.page

    def _email_types(self) -> QWidget:
        view = EmailTypesView(parent=self.navigation.pages)
        presenter = EmailTypesPresenter(
            self._services, self._outbox_worker, self._sample_worker, view, sending(self._services)
        )
        self._presenters.append(presenter)
        view.attach(presenter)
        return view.page

    def _delivery_page(self) -> QWidget:
        view = DeliveryView(parent=self.navigation.pages)
        view.sample_wanted.connect(self._show_samples)
        view.sign_in_wanted.connect(self._sign_in)
        presenter = DeliveryPresenter(self._services, self._outbox_worker, view)
        view.attach(presenter)
        threads = Threads(self._outbox_worker, self._drain_worker, self._sample_worker)
        overview = OverviewPresenter(self._services, threads, sending(self._services), view)
        view.attach_overview(overview)
        self._presenters += (presenter, overview)
        return view.page

    def _diagnostics_page(self) -> QWidget:
        return self._diagnostics.page

    def _arrived_page(self) -> QWidget:
        return self.opener.page

    def _general_page(self) -> QWidget:
        return self._general_view.page

    def _ask_before_closing(self) -> None:
        leaving = Leaving(self._window, "on Integrations")
        self.presenter.subscribe(leaving.follow)
        leaving.save_wanted.connect(self._save)
        leaving.agreed.connect(self._window.close)
        self._window.may_close = leaving.may_close

    @Slot()
    def _open_relay(self) -> None:
        if self._relay is None:
            self._relay = RelayDialog(self._services, self._worker, self._theme, self._window)
            self._relay.closed.connect(self._general.load)
        self._relay.start()

    @Slot()
    def _save(self) -> None:
        # Should it fail, the reason stands beside the form.
        self._show_form()
        self._view.save()

    @Slot()
    def _discard(self) -> None:
        self._show_form()
        self._view.discard()

    @Slot()
    def _open_palette(self) -> None:
        offered = palette_entries(self._window.menuBar(), self.navigation, self.menus.palette)
        Palette(self._window, offered).show_over()

    @Slot()
    def _send(self) -> None:
        """Send a test email, or run again what the page in sight tests."""
        if self.navigation.current == "diagnostics":
            self._diagnostics.run()
        else:
            self._show_form()
            self._view.send()

    @Slot()
    def _cancel(self) -> None:
        if self.navigation.current == "diagnostics":
            self._diagnostics.cancel()
        else:
            self._view.escape()

    @Slot()
    def _show_details(self) -> None:
        self.diagnosis.show_newest()
        self.navigation.open_page("diagnostics")

    @Slot()
    def _show_samples(self) -> None:
        self.navigation.open_page("email_types")

    @Slot(str)
    def _sign_in(self, route: str) -> None:
        """Begin to sign in again where the server of this route is configured."""
        if route == DEFAULT:
            self._open_relay()
        else:
            self._show_form()
            self.presenter.try_again()

    @Slot()
    def _show_form(self) -> None:
        self.navigation.open_page("integrations")

    def _follow_general(self, state: GeneralState) -> None:
        """Take a change on General: the look, and where emails go without the custom server."""
        self._theme.prefer(state.preferences.theme, state.preferences.text_size)
        if state.notice is not None or self._default != state.default:
            self._default = state.default
            self.presenter.look()


def _not_filled(error: Exception) -> None:
    _log.warning("the form was not filled in", exc_info=error)
