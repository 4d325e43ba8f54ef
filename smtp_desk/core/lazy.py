"""A value that is built when it is first needed, without a lock."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LazyProperty(Generic[T]):
    """`functools.cached_property` as it is from Python 3.12 on.

    Earlier versions hold a lock while they build, one for all objects: a child that another
    thread forks meanwhile would wait for it forever. Two threads may build the value at the
    same time; both get the same one.
    """

    def __init__(self, build: Callable[[Any], T]) -> None:
        self._build = build

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        value: T = vars(instance).setdefault(self._name, self._build(instance))
        return value
