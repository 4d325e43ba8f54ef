"""The Secret Service under test keeps secrets, and refuses them in each of its states."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers.child import Child

if TYPE_CHECKING:
    from tests.servers.secret_service import SecretService

pytestmark = pytest.mark.needs("gnome_keyring")

STORE: Final = "import keyring; keyring.set_password('smtp-desk', 'desk', 's3cret')"
READ: Final = "import keyring; print(keyring.get_password('smtp-desk', 'desk'))"


def test_keeps_a_secret(secret_service: SecretService) -> None:
    assert secret_service.run_python(READ).stdout == "None\n"
    assert secret_service.run_python(STORE).stderr == ""
    assert secret_service.run_python(READ).stdout == "s3cret\n"


def test_locked(secret_service: SecretService) -> None:
    secret_service.run_python(STORE)
    secret_service.lock()
    result = secret_service.run_python(READ)
    assert result.returncode == 1
    assert "keyring.errors.KeyringLocked" in result.stderr


def test_a_prompt_that_nobody_answers(secret_service: SecretService) -> None:
    secret_service.run_python(STORE)
    secret_service.hang_on_prompts()
    with Child([sys.executable, "-c", READ], env=secret_service.env) as reader:
        secret_service.wait_for_prompt()
        with pytest.raises(subprocess.TimeoutExpired):
            reader.wait(0.3)
        reader.kill()


def test_no_bus(no_bus_env: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", READ], env=no_bus_env, capture_output=True, text=True, check=False
    )
    assert "keyring.errors.NoKeyringError" in result.stderr
