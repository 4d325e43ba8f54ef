"""Company CAs: the file that a person chose, and those trusted by their fingerprint."""

import errno
import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from smtp_desk.core.settings import CaFile
from smtp_desk.store.files import read_regular, write_atomic
from smtp_desk.store.ownership import make_private_folder

MAX_BYTES: Final = 1024 * 1024
_ARMOUR: Final = b"-----BEGIN "
_CERTIFICATE: Final = (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN X509 CERTIFICATE-----")
_PROBLEMS: Final = {
    errno.ENOENT: "ca_file.missing",
    errno.ENOTDIR: "ca_file.missing",
    errno.EFBIG: "ca_file.too_large",
}
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9.-]")
_LONGEST_HOST: Final = 64


class TrustedCas:
    """The CAs that a person trusted, each for one host only, as long as its file exists."""

    def __init__(self, folder: Path) -> None:
        """Touch nothing yet; `folder` is made when the first CA is trusted."""
        self._folder = folder

    def path(self, host: str, pem: str) -> Path:
        """Return the path of the file for this host and this PEM, trusted or not."""
        digest = hashlib.sha256(f"{host}\n{pem}".encode()).hexdigest()
        return self._folder / f"{_NOT_IN_NAMES.sub('_', host)[:_LONGEST_HOST]}-{digest[:16]}.pem"

    def add(self, host: str, pem: str) -> Path:
        """Trust `pem` for `host`, and return the file, readable by this user only.

        Raises:
            OSError: It can't be written.
        """
        path = self.path(host, pem)
        make_private_folder(path.parent)
        write_atomic(path, pem.encode())
        return path

    def has(self, host: str, pem: str) -> bool:
        """Whether a person trusted `pem` for `host`."""
        return self.path(host, pem).is_file()

    def keep_only(self, used: Collection[tuple[str, str]]) -> None:
        """Stop trusting all but these pairs of host and content, as far as the disk allows."""
        kept = {self.path(host, pem) for host, pem in used}
        for path in self._folder.glob("*.pem"):
            if path not in kept:
                with suppress(OSError):
                    path.unlink()


def read_ca_file(path: str) -> CaFile:
    """Return the certificates in a file, or the problem: PEM with any number, or DER with one.

    They are encoded anew, without anything else in the file, such as text and keys.
    Directories, pipes and devices are refused without waiting for them. `path` is as typed.
    """
    try:
        data = read_regular(Path(path.strip()).expanduser(), MAX_BYTES)
    except OSError as error:
        return CaFile(path, problem=_PROBLEMS.get(error.errno or 0, "ca_file.unreadable"))
    except (ValueError, RuntimeError):  # NUL in the path; `~` of somebody unknown
        return CaFile(path, problem="ca_file.unreadable")
    if not data.strip() or (_ARMOUR in data and not any(begin in data for begin in _CERTIFICATE)):
        return CaFile(path, problem="ca_file.no_certificate")
    try:
        return CaFile(path, pem=_encoded_anew(data))
    except ValueError:
        return CaFile(path, problem="ca_file.not_pem")


def _encoded_anew(data: bytes) -> str:
    """Return the certificates in `data` as PEM.

    Raises:
        ValueError: There is no certificate, or one is damaged.
    """
    # Imported here: 50 ms that only a form with a CA file pays.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    if _ARMOUR in data:
        certificates = x509.load_pem_x509_certificates(data)
    else:
        certificates = [x509.load_der_x509_certificate(data)]
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)
