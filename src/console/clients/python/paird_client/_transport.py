from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ._schema import Account, Command, Event, Message, NewMessage


@dataclass(frozen=True)
class Queueing:
    key: str
    not_before: str | None
    expires_at: str | None


@dataclass(frozen=True)
class Following:
    consumer: str | None
    start: Literal["start", "now"]
    account: str | None
    """Only events of this account."""


@dataclass(frozen=True)
class Delivery:
    event: Event
    acknowledge: Callable[[], Awaitable[None]]
    """Moves the consumer's position past it."""


class Transport(Protocol):
    """A way in. Each call goes on through a lost connection for as long as the client is patient."""

    async def accounts(self) -> list[Account]: ...

    async def account_by_id(self, account: str) -> Account | None: ...

    async def accounts_by_label(self, label: str) -> list[Account]: ...

    async def add_account(self, label: str, operator: str | None, key: str) -> Account: ...

    async def send_command(self, account: str, kind: str, args: Mapping[str, object], key: str) -> int: ...

    async def command(self, command: int) -> Command: ...

    async def send_message(self, account: str, message: NewMessage, how: Queueing) -> int: ...

    async def message(self, message: int) -> Message | None: ...

    async def events_after(self, account: str, seq: int) -> list[Event]:
        """A page of them, by `seq`."""

    async def seq_before(self, account: str, moment: str) -> int:
        """The `seq` of the last event that is older than this, or 0."""

    async def qr(self, account: str) -> bytes | None:
        """The QR to scan as a PNG, while there is one."""

    async def pair_code(self, account: str) -> str | None:
        """The code to type, while there is one."""

    def changes(self) -> int:
        """Of changes so far; to be taken before one looks."""

    async def changed(self, since: int, round_: int) -> None:
        """Waits for a change after these, for a while that is longer in later rounds."""

    def follow(self, how: Following) -> AsyncGenerator[Delivery, None]:
        """Without an end; it survives every loss of a connection."""

    async def close(self) -> None: ...


def look_every(round_: int) -> float:
    """How long one waits for a change, unless it is announced: soon at first, then every second."""
    return min(0.05 * 2.0 ** min(round_, 10), 1.0)
