from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ._errors import PairdError

_FIRST = 0.1
_LONGEST = 5.0

T = TypeVar("T")


class Backoff:
    """Waits that double, each a quarter longer or shorter by chance."""

    def __init__(self) -> None:
        self._next = _FIRST

    def next(self) -> float:
        wait = self._next * random.uniform(0.75, 1.25)
        self._next = min(self._next * 2, _LONGEST)
        return wait

    def reset(self) -> None:
        self._next = _FIRST


async def pause(seconds: float, closing: asyncio.Event) -> None:
    """Waits so long, or until the client is closed."""
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        pass


async def patiently(work: Callable[[], Awaitable[T]], patience: float, closing: asyncio.Event) -> T:
    """Does `work` again as long as its error is `unavailable`, for `patience` seconds."""
    backoff = Backoff()
    deadline = time.monotonic() + patience
    while True:
        if closing.is_set():
            raise PairdError("closed", "the client is closed")
        try:
            return await work()
        except PairdError as error:
            wait = backoff.next()
            if error.code != "unavailable" or time.monotonic() + wait > deadline:
                raise
            await pause(wait, closing)
