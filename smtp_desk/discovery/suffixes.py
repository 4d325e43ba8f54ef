"""Where a registry's names end and an organization's begin: the Public Suffix List.

The library brings its own copy (MPL-2.0, used unchanged); nothing is fetched.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(domain: str) -> bool:
    """Whether a domain belongs to a registry, such as `co.uk`: nobody has a mailbox there."""
    return bool(_registries().is_public(domain))


def base_domain(host: str) -> str:
    """Return the domain that an organization has registered; "" for a public suffix."""
    return _suffixes().privatesuffix(host) or ""


# Imported late because reading the list takes 100 ms, which provider data do without.


@cache
def _registries() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList(only_icann=True, accept_unknown=False)


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList()
