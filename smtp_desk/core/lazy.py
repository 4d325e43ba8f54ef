"""A value that is built when it is first asked for, without a lock."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LazyProperty(Generic[T]):
    """`functools.cached_property` as it is from Python 3.12 on.

    Before that it holds a lock while it builds, one for all objects: a process that is
    forked meanwhile by another thread would wait for it for ever. Two threads may build
    the value at once; both get the same.
    """

    def __init__(self, build: Callable[[Any], T]) -> None:
        self._build = build

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        value: T = vars(instance).setdefault(self._name, self._build(instance))
        return value
