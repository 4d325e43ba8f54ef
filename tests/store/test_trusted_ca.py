"""Company CAs that were trusted: one file for each host."""

from pathlib import Path

import pytest

from smtp_desk.store.company_ca import TrustedCas, read_ca_file
from tests.servers.certs import Certificates


@pytest.fixture
def cas(tmp_path: Path) -> TrustedCas:
    return TrustedCas(tmp_path / "config" / "ca")


def test_nothing_is_trusted_and_nothing_is_made_before_somebody_trusts(
    cas: TrustedCas, tmp_path: Path
) -> None:
    assert not cas.has("mail.example.org", "pem")
    assert list(tmp_path.iterdir()) == []


def test_a_ca_is_trusted_for_one_host_and_one_content(cas: TrustedCas) -> None:
    cas.add("mail.example.org", "pem")
    assert cas.has("mail.example.org", "pem")
    assert not cas.has("mail.example.net", "pem")
    assert not cas.has("mail.example.org", "another")


def test_the_file_is_private_and_reads_as_a_ca_file(cas: TrustedCas, certs: Certificates) -> None:
    pem = certs.other_root.chain_file.read_text("utf-8")
    path = cas.add("mail.example.org", pem)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_ca_file(str(path)).pem == pem
    assert cas.add("mail.example.org", pem) == path


@pytest.mark.parametrize("host", ["::1", "../../etc/passwd", "a/b", "x" * 253])
def test_no_host_leads_out_of_the_folder_or_has_too_long_a_name(
    cas: TrustedCas, host: str, tmp_path: Path
) -> None:
    path = cas.add(host, "pem")
    assert path.parent == tmp_path / "config" / "ca"
    assert path.is_file()
    assert len(path.name) < 100


def test_what_nothing_needs_is_trusted_no_more_and_other_files_stay(cas: TrustedCas) -> None:
    cas.keep_only([])
    other = cas.add("mail.example.org", "pem").with_name("notes.txt")
    other.write_text("…")
    cas.add("mail.example.net", "pem")
    cas.keep_only([("mail.example.org", "pem"), ("mail.example.net", "another")])
    assert cas.has("mail.example.org", "pem")
    assert not cas.has("mail.example.net", "pem")
    assert other.exists()
