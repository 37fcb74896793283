from __future__ import annotations

from typing import Literal

from ._schema import Message

ErrorCode = Literal[
    # An argument is wrong; the message names it.
    "invalid",
    # The token, or the database's user or password, is wrong.
    "unauthorized",
    # The login may not do this.
    "forbidden",
    "not_found",
    # Several accounts have this label: use the id.
    "ambiguous",
    # The key is that of something else.
    "conflict",
    # Too many: of messages that wait, or of live streams.
    "limit",
    # paird has refused the command, or could not carry it out.
    "command_failed",
    # The message ended without being sent; `sent_message` has it.
    "not_sent",
    # Not yet: what was asked for is still under way, and goes on.
    "timeout",
    # Neither database nor daemon answered in time. Call again, with the same key.
    "unavailable",
    # The server made a mistake.
    "server",
    "closed",
]


class PairdError(Exception):
    """Everything that this package raises. The text is what the server says."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        status: int | None = None,
        sql_state: str | None = None,
        sent_message: Message | None = None,
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.status = status
        self.sql_state = sql_state
        self.sent_message = sent_message
