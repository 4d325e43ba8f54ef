"""Reading the certificates of a company CA from the file that a person named."""

import errno
from pathlib import Path
from typing import Final

from smtp_desk.core.draft import CaFile
from smtp_desk.store.regular import read_regular

MAX_BYTES: Final = 1024 * 1024
_ARMOUR: Final = b"-----BEGIN "
_CERTIFICATE: Final = (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN X509 CERTIFICATE-----")
_PROBLEMS: Final = {
    errno.ENOENT: "ca_file.missing",
    errno.ENOTDIR: "ca_file.missing",
    errno.EFBIG: "ca_file.too_large",
}


def read_ca_file(path: str) -> CaFile:
    """Read the certificates in a file: PEM with any number of them, or DER with one.

    Whatever else the file holds, text and keys included, is left behind. Directories,
    pipes and devices are refused without waiting for them.

    Args:
        path: As typed; `~` is the home folder.

    Returns:
        The certificates, encoded anew as PEM, or the problem.
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
        ValueError: There is none, or one is damaged.
    """
    # Imported here: 50 ms that only a form with a CA file pays.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    if _ARMOUR in data:
        certificates = x509.load_pem_x509_certificates(data)
    else:
        certificates = [x509.load_der_x509_certificate(data)]
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)
