"""A private D-Bus message bus on which nothing starts by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.servers import parts
from tests.servers.process import ServerProcess, listens

if TYPE_CHECKING:
    import pathlib

_CONFIG: Final = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

NO_BUS: Final = "unix:path=/nonexistent/bus"
"""An address where no bus is."""


class MessageBus:
    """A running bus; `address` is what DBUS_SESSION_BUS_ADDRESS must be."""

    def __init__(self, folder: pathlib.Path) -> None:
        path = folder / "bus"
        self.address = f"unix:path={path}"
        config = folder / "bus.conf"
        config.write_text(_CONFIG.format(address=self.address))
        self._process = ServerProcess(
            [parts.program("dbus-daemon"), f"--config-file={config}", "--nofork", "--nopidfile"],
            folder / "bus.log",
        )
        self._process.wait_ready(lambda: listens(path))

    def stop(self) -> None:
        self._process.stop()
