"""A typed client of paird: one interface, over SQL or over HTTP."""

from ._client import Client, PairCode, PairEnd, PairPasskey, PairQr, PairStep
from ._errors import ErrorCode, PairdError
from ._http import HttpTransport
from ._offsets import Offsets, file_offsets
from ._schema import Account, Command, CommandArgs, Content, Event, Message, NewMessage
from ._sql import SqlTransport


def connect_sql(url: str, *, channel: str = "paird_event", patience: float = 30.0) -> Client:
    """Over Postgres, as a login in the role `paird_web`.

    The connection is made with the first call, and again after each loss. `channel` is the daemon's
    `PAIRD_EVENT_CHANNEL`; `patience` says for how many seconds a call waits for the database before it fails as
    `unavailable`.
    """
    return Client(SqlTransport(url, channel=channel, patience=patience))


def connect_http(url: str, token: str, *, offsets: Offsets | None = None, patience: float = 30.0) -> Client:
    """Over the daemon's HTTP API, with the console's token.

    `offsets` is where the positions of consumers are kept, such as `file_offsets(directory)`: over HTTP paird does not
    keep them.
    """
    return Client(HttpTransport(url, token, offsets=offsets, patience=patience))


__all__ = [
    "Account",
    "Client",
    "Command",
    "CommandArgs",
    "Content",
    "ErrorCode",
    "Event",
    "Message",
    "NewMessage",
    "Offsets",
    "PairCode",
    "PairEnd",
    "PairPasskey",
    "PairQr",
    "PairStep",
    "PairdError",
    "connect_http",
    "connect_sql",
    "file_offsets",
]
