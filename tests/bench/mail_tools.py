"""The tools that people turn to when mail does not go out, each asked for one test email.

Passwords go in by files and variables, as on a shared machine; every tool trusts the CA file,
insists on TLS and gives up after `SECONDS`.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

SECONDS: Final = 5
_KILLED_AFTER: Final = 2 * SECONDS
_SENDER: Final = "desk@example.test"
_RECIPIENT: Final = "ann@example.test"
_MAIL: Final = f"From: {_SENDER}\r\nTo: {_RECIPIENT}\r\nSubject: Test\r\n\r\nHello.\r\n"

_SMTPLIB: Final = """
import os, smtplib, ssl
host, port, ca, tls = (os.environ[name] for name in ("HOST", "PORT", "CA", "TLS"))
context = ssl.create_default_context(cafile=ca)
try:
    if tls == "tls":
        server = smtplib.SMTP_SSL(host, int(port), timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, int(port), timeout=SECONDS)
        server.starttls(context=context)
    server.login("desk", os.environ["PASSWORD"])
    server.sendmail("SENDER", ["RECIPIENT"], "Subject: Test\\n\\nHello.")
    server.quit()
except OSError as error:
    print(f"{type(error).__name__}: {error}")
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to send, and how.

    Attributes:
        mode: "starttls", or "tls" from the start.
        ca_file: the CA to trust.
        folder: for the files that a tool wants.
    """

    host: str
    port: int
    mode: str
    password: str
    ca_file: Path
    folder: Path

    def file(self, name: str, text: str) -> str:
        """Write a file that only this user can read; return its path."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)


@dataclasses.dataclass(frozen=True)
class Call:
    """How a tool is started."""

    argv: list[str]
    stdin: str = ""
    env: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Told:
    """What a tool printed, and how long a person waited for it."""

    output: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Tool:
    """One of the tools.

    Attributes:
        version: what prints its version.
        essence: patterns of the line that says it; the first that matches anything counts,
            with its last match.
        signs_in: whether it goes further than TLS.
    """

    name: str
    version: tuple[str, ...]
    call: Callable[[Target], Call]
    essence: tuple[str, ...]
    signs_in: bool = True

    @property
    def installed(self) -> bool:
        return shutil.which(self.version[0]) is not None

    def ask(self, target: Target) -> Told:
        """Run it to its end, or until it has had twice its time."""
        call = self.call(target)
        began = time.monotonic()
        done = subprocess.Popen(
            call.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **call.env},
            text=True,
            errors="replace",
        )
        try:
            output, _ = done.communicate(call.stdin, timeout=_KILLED_AFTER)
        except subprocess.TimeoutExpired:
            done.kill()
            output, _ = done.communicate()
        seconds = time.monotonic() - began
        output = output.replace(target.password, "‹hidden›").replace(str(target.folder), "")
        return Told(output, seconds)

    def essence_of(self, told: Told) -> str:
        """The line that says it, or nothing."""
        for pattern in self.essence:
            lines: list[str] = re.findall(pattern, told.output, re.MULTILINE)
            if lines:
                return lines[-1]
        return ""

    def title(self) -> str:
        """Name and version."""
        done = subprocess.run(self.version, capture_output=True, text=True, check=True)
        number = re.search(r"\d+(\.\d+)+", done.stdout)
        return f"{self.name} {number[0]}" if number else self.name


def _desk(target: Target) -> Call:
    argv = [
        *(sys.executable, "-m", "smtp_desk", "check", "--host", target.host),
        *("--port", str(target.port), "--security", target.mode, "--username", "desk"),
        *("--from-email", _SENDER, "--to", _RECIPIENT, "--ca-file", str(target.ca_file)),
        *("--timeout", str(SECONDS), "--password-stdin"),
    ]
    return Call(argv, target.password, {"SMTP_DESK_HOME": str(target.folder)})


def _swaks(target: Target) -> Call:
    config = target.file("swaks", f"--auth-user desk\n--auth-password {target.password}\n")
    argv = [
        *("swaks", "--config", config, "--server", target.host, "--port", str(target.port)),
        *("--from", _SENDER, "--to", _RECIPIENT, "--timeout", f"{SECONDS}s"),
        *("--tls-on-connect" if target.mode == "tls" else "--tls", "--tls-verify"),
        *("--tls-ca-path", str(target.ca_file), "--auth-hide-password"),
    ]
    return Call(argv)


def _curl(target: Target) -> Call:
    config = target.file("curl", f'user = "desk:{target.password}"\n')
    scheme = "smtps" if target.mode == "tls" else "smtp"
    argv = [
        *("curl", "-v", "-sS", "-K", config, "--ssl-reqd", "--cacert", str(target.ca_file)),
        *("--max-time", str(SECONDS), "--mail-from", _SENDER, "--mail-rcpt", _RECIPIENT),
        *("--upload-file", "-", f"{scheme}://{target.host}:{target.port}"),
    ]
    return Call(argv, _MAIL)


def _msmtp(target: Target) -> Call:
    lines = [
        *("account default", f"host {target.host}", f"port {target.port}", f"from {_SENDER}"),
        *("auth on", "user desk", f"password {target.password}", f"timeout {SECONDS}"),
        *("tls on", f"tls_starttls {'off' if target.mode == 'tls' else 'on'}"),
        f"tls_trust_file {target.ca_file}",
    ]
    return Call(["msmtp", "-C", target.file("msmtprc", "\n".join(lines) + "\n"), _RECIPIENT], _MAIL)


def _openssl(target: Target) -> Call:
    argv = [
        *("openssl", "s_client", "-connect", f"{target.host}:{target.port}"),
        *("-CAfile", str(target.ca_file), "-verify_ip", target.host),
        *(() if target.mode == "tls" else ("-starttls", "smtp")),
    ]
    return Call(argv)


def _smtplib(target: Target) -> Call:
    script = _SMTPLIB.replace("SECONDS", str(SECONDS))
    script = script.replace("SENDER", _SENDER).replace("RECIPIENT", _RECIPIENT)
    env = {
        "HOST": target.host,
        "PORT": str(target.port),
        "CA": str(target.ca_file),
        "TLS": target.mode,
        "PASSWORD": target.password,
    }
    return Call([sys.executable, "-c", script], env=env)


TOOLS: Final = (
    Tool("SMTP Desk", (sys.executable, "-m", "smtp_desk", "--version"), _desk, (r"^cause: (.+)",)),
    Tool("swaks", ("swaks", "--version"), _swaks, (r"^<[~*]\* (.+)", r"^\*\*\* (.+)")),
    Tool("curl", ("curl", "--version"), _curl, (r"^< ([45]\d\d .+)", r"^curl: (.+)")),
    Tool(
        "msmtp",
        ("msmtp", "--version"),
        _msmtp,
        (r"^msmtp: server message: (.+)", r"^msmtp: (?!could not send)(.+)"),
    ),
    Tool(
        "openssl s_client",
        ("openssl", "version"),
        _openssl,
        (r"^[^:]+:error:[^:]+:([^:]+:[^:]*:[^:]+)", r"^ *Verify return code: (\d+ .+)"),
        signs_in=False,
    ),
    Tool("smtplib", (sys.executable, "--version"), _smtplib, (r"^(.+)",)),
)
