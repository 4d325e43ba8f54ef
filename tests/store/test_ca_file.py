"""What a person can name as the CA file, and what is made of it."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smtp_desk.core import texts
from smtp_desk.core.settings import CaFile
from smtp_desk.store.company_ca import MAX_BYTES, read_ca_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ca.pem"


def test_pem(file: Path, ca_pem: str) -> None:
    file.write_text(ca_pem)
    assert read_ca_file(str(file)) == CaFile(str(file), pem=ca_pem)


def test_der(file: Path, certs: Certificates, ca_pem: str) -> None:
    file.write_bytes(certs.other_root.certificate.public_bytes(Encoding.DER))
    assert read_ca_file(str(file)).pem == ca_pem


def test_certificates_only(file: Path, certs: Certificates, ca_pem: str, other_ca_pem: str) -> None:
    key = certs.other_root.key_file.read_text()
    file.write_text(f"\ufeffOur CA\r\n{ca_pem}{key}\n# and the next\n{other_ca_pem}\nend")
    assert read_ca_file(str(file)).pem == ca_pem + other_ca_pem


def test_other_spellings_give_the_same(file: Path, ca_pem: str) -> None:
    file.write_bytes(ca_pem.replace("\n", "\r\n").encode())
    assert read_ca_file(f" {file} ") == CaFile(f" {file} ", pem=ca_pem)


def test_home_folder(file: Path, ca_pem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    file.write_text(ca_pem)
    assert read_ca_file("~/ca.pem") == CaFile("~/ca.pem", pem=ca_pem)


def test_what_is_copied_reads_back_the_same(file: Path, ca_pem: str) -> None:
    file.write_text(ca_pem + ca_pem)
    pem = read_ca_file(str(file)).pem
    file.write_text(pem)
    assert read_ca_file(str(file)).pem == pem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "ca_file.no_certificate"),
        (b" \n", "ca_file.no_certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "ca_file.no_certificate"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", "ca_file.no_certificate"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "ca_file.not_pem"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA", "ca_file.not_pem"),
        (b"hello", "ca_file.not_pem"),
        (b"\x30\x82\x01\x00", "ca_file.not_pem"),
        (b"x" * (MAX_BYTES + 1), "ca_file.too_large"),
    ],
    ids=range(9),
)
def test_what_is_no_ca_file(file: Path, content: bytes, problem: str) -> None:
    file.write_bytes(content)
    assert read_ca_file(str(file)) == CaFile(str(file), problem=problem)
    assert problem in texts.PROBLEMS


def test_truncated(file: Path, ca_pem: str) -> None:
    file.write_text(ca_pem[: len(ca_pem) // 2])
    assert read_ca_file(str(file)).problem == "ca_file.not_pem"


def test_damaged(file: Path, certs: Certificates) -> None:
    der = certs.other_root.certificate.public_bytes(Encoding.DER)
    body = base64.encodebytes(der[:-40]).decode()
    file.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    assert read_ca_file(str(file)).problem == "ca_file.not_pem"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nothing.pem", "ca_file.missing"),
        ("ca.pem/inside", "ca_file.missing"),
        ("folder", "ca_file.unreadable"),
        ("pipe", "ca_file.unreadable"),
        ("loop", "ca_file.unreadable"),
        ("/dev/zero", "ca_file.unreadable"),
        ("nul\0.pem", "ca_file.unreadable"),
        ("half \ud800 pair", "ca_file.unreadable"),
        ("~nobody-of-this-name/ca.pem", "ca_file.unreadable"),
        ("x" * 5000, "ca_file.unreadable"),
    ],
)
def test_what_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert read_ca_file(path) == CaFile(path, problem=problem)


def test_not_permitted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all, hence by a refusing system."""

    def refuse(path: object, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    file.touch()
    monkeypatch.setattr(os, "open", refuse)
    assert read_ca_file(str(file)).problem == "ca_file.unreadable"
