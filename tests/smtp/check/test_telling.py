from __future__ import annotations

from smtp_desk.smtp.check.naming import for_texts


def test_facts_are_named_as_the_texts_name_them() -> None:
    told = for_texts(
        {
            "suggestion": "mail.example.org",
            "since": "2026-01-02T03:04:05+00:00",
            "mode": "tls",
            "violation": "mixed_codes",
            "dead_addresses": ["192.0.2.1"],
        }
    )
    assert told["suggested_name"] == "mail.example.org"
    assert told["not_after"] == "2026-01-02"
    assert told["working_security"] == "tls"
    assert told["reason"] == "mixed codes"
    assert told["failed_addresses"] == ["192.0.2.1"]
    assert told["issuer_is_ca"] is False


def test_what_a_fact_is_called_already_stays() -> None:
    assert for_texts({"reason": "no route", "violation": "x"})["reason"] == "no route"


def test_a_certificate_that_is_refused_says_why() -> None:
    refused = {"reason": "CERTIFICATE_VERIFY_FAILED", "verify_message": "EE key too weak"}
    assert for_texts(refused)["reason"] == "EE key too weak"
    assert for_texts({"reason": "BAD_RECORD", "verify_message": ""})["reason"] == "BAD_RECORD"


def test_what_is_wrong_with_the_form_of_certificates_is_told() -> None:
    problems = [{"certificate": "CN=a", "problem": "key_usage_missing"}, "CN=b"]
    told = for_texts({"form_problems": problems})  # type: ignore[dict-item]
    assert told["reason"] == "key usage missing (CN=a), CN=b"


def test_addresses_read_as_text() -> None:
    addresses = [{"address": "192.0.2.1", "result": "refused", "ms": 3}, "192.0.2.2"]
    assert for_texts({"addresses": addresses})["addresses"] == ["192.0.2.1 (refused)", "192.0.2.2"]  # type: ignore[dict-item]


def test_a_certificate_that_ends_soon_and_a_ca() -> None:
    told = for_texts({"expires_soon": {"not_after": "2026-01-02T00:00:00", "days": 3}, "ca": {}})
    assert (told["not_after"], told["days"], told["issuer_is_ca"]) == ("2026-01-02", 3, True)


def test_this_computers_clock_reads_as_a_clock() -> None:
    told = for_texts({"clock": "2026-09-01T10:02:33+00:00"})
    assert told["now"] == "2026-09-01 10:02 UTC"


def test_names_in_certificates_read_as_names() -> None:
    told = for_texts({"issuer": "CN=Example CA,O=Example Ltd", "certificate": "CN=a.example"})
    assert (told["issuer"], told["expired_subject"]) == ("Example CA (Example Ltd)", "a.example")
