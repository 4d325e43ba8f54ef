"""The words of the Email types page, chosen from codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.app.page_presenter import Busy

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY: Final[Mapping[Busy, str]] = {
    Busy.NOTHING: "",
    Busy.SENDING: "Sending the sample…",
    Busy.CANCELLING: "Cancelling…",
}
