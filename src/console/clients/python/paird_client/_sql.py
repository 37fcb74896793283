"""Rows of a Postgres over one connection, which also hears the notifications and is made again after each loss."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
import uuid
from collections.abc import AsyncGenerator, Mapping
from typing import Literal, TypeVar, cast

import asyncpg

from ._errors import ErrorCode, PairdError
from ._retry import Backoff, patiently, pause
from ._schema import Account, Command, Event, Message, NewMessage
from ._transport import Delivery, Following, Queueing, look_every

T = TypeVar("T")

_DEFAULT_OPERATOR = "00000000-0000-0000-0000-000000000001"
_PAGE = 100
# An event that no notification announced is found then.
_LOOK_FOR_EVENTS = 5.0
_QUERY_TIMEOUT = 30.0

# Postgres writes the documents of the API itself: times and large numbers then look the same both ways.
_ACCOUNT = """json_build_object('id', id, 'operatorId', operator_id, 'label', label, 'tags', tags, 'status', status,
  'statusReason', status_reason, 'statusSince', status_since, 'nextRetryAt', next_retry_at, 'desired', desired,
  'desiredPhone', desired_phone, 'phoneNumber', phone_number, 'lastPhoneNumber', last_phone_number,
  'hasKeys', keyring_id IS NOT NULL, 'deviceName', device_name, 'presence', presence, 'pairDeadline', pair_deadline,
  'sendingPausedUntil', sending_paused_until, 'createdAt', created_at)::text"""
_MESSAGE = """json_build_object('id', m.id, 'accountId', m.account_id, 'direction', m.direction, 'chat', m.chat,
  'chatPhone', m.chat_phone, 'sender', m.sender, 'senderPhone', m.sender_phone, 'waId', m.wa_id, 'kind', m.kind,
  'refersTo', m.refers_to, 'state', m.state, 'reason', m.reason, 'code', m.code, 'key', m.key, 'notBefore', m.not_before,
  'expiresAt', m.expires_at, 'sentAt', m.sent_at, 'deliveredAt', m.delivered_at, 'readAt', m.read_at,
  'recoveredAt', m.recovered_at, 'createdAt', m.created_at, 'content', b.content)::text"""
_EVENT = """json_build_object('id', id, 'accountId', account_id, 'seq', seq, 'kind', kind, 'payload', payload,
  'createdAt', created_at)::text"""


class SqlTransport:
    def __init__(self, url: str, *, channel: str, patience: float) -> None:
        self._url = url
        self._channel = channel
        self._patience = patience
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        # A connection carries out one statement at a time.
        self._turn = asyncio.Lock()
        self._closing = asyncio.Event()
        self._changes = 0
        self._change = asyncio.Event()

    async def accounts(self) -> list[Account]:
        sql = f"SELECT {_ACCOUNT} FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY created_at, id"
        return await self._documents(list[Account], sql)

    async def account_by_id(self, account: str) -> Account | None:
        sql = f"SELECT {_ACCOUNT} FROM whatsapp_accounts WHERE id = $1::text::uuid AND deleted_at IS NULL"
        return _first(await self._documents(list[Account], sql, account))

    async def accounts_by_label(self, label: str) -> list[Account]:
        sql = f"SELECT {_ACCOUNT} FROM whatsapp_accounts WHERE label = $1 AND deleted_at IS NULL LIMIT 2"
        return await self._documents(list[Account], sql, label)

    async def add_account(self, label: str, operator: str | None, key: str) -> Account:
        account, operator = _account_of_key(key), operator or _DEFAULT_OPERATOR
        sql = """INSERT INTO whatsapp_accounts (id, operator_id, label) VALUES ($1::text::uuid, $2::text::uuid, $3)
                 ON CONFLICT (id) DO NOTHING"""
        await self._rows(sql, account, operator, label)
        found = await self.account_by_id(account)
        if found is None:
            raise PairdError("conflict", "key: the account with this key was deleted")
        if (found["label"], found["operatorId"]) != (label, operator):
            raise PairdError("conflict", "key: another account has this key already")
        return found

    async def send_command(self, account: str, kind: str, args: Mapping[str, object], key: str) -> int:
        sql = "SELECT send_command($1, $2::text::uuid, $3::text::jsonb, $4)"
        return int(await self._text(sql, kind, account, json.dumps(args), key) or 0)

    async def command(self, command: int) -> Command:
        sql = """SELECT json_build_object('id', id, 'accountId', account_id, 'kind', kind, 'state', state, 'result', result,
                   'createdAt', created_at, 'doneAt', done_at)::text FROM commands WHERE id = $1"""
        found = _first(await self._documents(list[Command], sql, command))
        if found is None:
            raise PairdError("not_found", f"there is no command {command}")
        return found

    async def send_message(self, account: str, message: NewMessage, how: Queueing) -> int:
        sql = """SELECT send_message($1::text::uuid, $2::text::jsonb, $3, $4::text::timestamptz,
                                     $5::text::timestamptz)"""
        content = json.dumps(message)
        return int(await self._text(sql, account, content, how.key, how.not_before, how.expires_at) or 0)

    async def message(self, message: int) -> Message | None:
        sql = f"SELECT {_MESSAGE} FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.id = $1"
        return _first(await self._documents(list[Message], sql, message))

    async def events_after(self, account: str, seq: int) -> list[Event]:
        sql = f"SELECT {_EVENT} FROM events WHERE account_id = $1::text::uuid AND seq > $2 ORDER BY seq LIMIT {_PAGE}"
        return await self._documents(list[Event], sql, account, seq)

    async def seq_before(self, account: str, moment: str) -> int:
        sql = """SELECT coalesce(max(seq), 0) FROM events
                 WHERE account_id = $1::text::uuid AND created_at < $2::text::timestamptz"""
        return int(await self._text(sql, account, moment) or 0)

    async def qr(self, account: str) -> bytes | None:
        sql = "SELECT decode(last_qr_png, 'base64') FROM whatsapp_accounts WHERE id = $1::text::uuid"
        rows = await self._rows(sql, account)
        return cast("bytes | None", rows[0][0]) if rows else None

    async def pair_code(self, account: str) -> str | None:
        return await self._text("SELECT pair_code FROM whatsapp_accounts WHERE id = $1::text::uuid", account)

    def changes(self) -> int:
        return self._changes

    async def changed(self, since: int, round_: int) -> None:
        await self._rung(since, look_every(round_))

    async def follow(self, how: Following) -> AsyncGenerator[Delivery, None]:
        backoff = Backoff()
        # Without a consumer, this is where the position is.
        read: dict[str, int] = {}
        begun = False
        while not self._closing.is_set():
            changes, delivered = self._changes, 0
            try:
                if not begun:
                    await self._begin(how, read)
                begun = True
                for account, seq in await self._behind(how, read):
                    for event in await self.events_after(account, max(seq, read.get(account, 0))):
                        delivered += 1

                        async def acknowledge(event: Event = event) -> None:
                            await self._acknowledge(how.consumer, event, read)

                        yield Delivery(event, acknowledge)
                backoff.reset()
            except PairdError as error:
                if self._closing.is_set():
                    return
                if error.code != "unavailable":
                    raise
                await pause(backoff.next(), self._closing)
                continue
            if delivered == 0:
                await self._rung(changes, _LOOK_FOR_EVENTS)

    async def close(self) -> None:
        self._closing.set()
        self._ring()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=5.0)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _begin(self, how: Following, read: dict[str, int]) -> None:
        """Where a consumer begins that has no position yet."""
        if how.start == "start":
            return
        of_account = "($1::text IS NULL OR id = $1::text::uuid)"
        if how.consumer is None:
            rows = await self._rows(f"SELECT id::text, event_seq FROM whatsapp_accounts WHERE {of_account}", how.account)
            read.update({str(row[0]): int(row[1]) for row in rows})
            return
        sql = f"""INSERT INTO event_consumers (consumer, account_id, seq)
                  SELECT $2, id, event_seq FROM whatsapp_accounts
                  WHERE {of_account} AND NOT EXISTS (
                      SELECT FROM event_consumers
                      WHERE consumer = $2 AND ($1::text IS NULL OR account_id = $1::text::uuid))
                  ON CONFLICT DO NOTHING"""
        await self._rows(sql, how.account, how.consumer)

    async def _behind(self, how: Following, read: dict[str, int]) -> list[tuple[str, int]]:
        """Accounts with events that were not read, and up to where they were."""
        positions = "event_consumers c ON c.consumer = $2 AND"
        values: list[object] = [how.account, how.consumer]
        if how.consumer is None:
            positions = "unnest($2::text[]::uuid[], $3::bigint[]) AS c (account_id, seq) ON"
            values = [how.account, list(read.keys()), list(read.values())]
        sql = f"""SELECT a.id::text, coalesce(c.seq, 0) FROM whatsapp_accounts a
                  LEFT JOIN {positions} c.account_id = a.id
                  WHERE a.event_seq > coalesce(c.seq, 0) AND ($1::text IS NULL OR a.id = $1::text::uuid)
                  ORDER BY a.id"""
        return [(str(row[0]), int(row[1])) for row in await self._rows(sql, *values)]

    async def _acknowledge(self, consumer: str | None, event: Event, read: dict[str, int]) -> None:
        read[event["accountId"]] = event["seq"]
        if consumer is None:
            return
        sql = """INSERT INTO event_consumers AS c (consumer, account_id, seq) VALUES ($1, $2::text::uuid, $3)
                 ON CONFLICT (consumer, account_id)
                 DO UPDATE SET seq = greatest(c.seq, excluded.seq), updated_at = clock_timestamp()"""
        await self._rows(sql, consumer, event["accountId"], event["seq"], patience=math.inf)

    async def _documents(self, kind: type[list[T]], sql: str, *values: object) -> list[T]:
        # The daemon and the database are held to their schemas by their own tests.
        return [cast("T", json.loads(row[0])) for row in await self._rows(sql, *values)]

    async def _text(self, sql: str, *values: object) -> str | None:
        rows = await self._rows(sql, *values)
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    async def _rows(self, sql: str, *values: object, patience: float | None = None) -> list[asyncpg.Record]:
        async def query() -> list[asyncpg.Record]:
            try:
                async with self._turn:
                    connection = await self._connected()
                    return await connection.fetch(sql, *values, timeout=_QUERY_TIMEOUT)
            except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                typed = _error_of(error)
                if typed.code == "unavailable":
                    self._lose()
                raise typed from error

        return await patiently(query, self._patience if patience is None else patience, self._closing)

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._url, timeout=_QUERY_TIMEOUT, server_settings={"application_name": "paird-client"}
        )
        connection.add_termination_listener(lambda _: self._ring())
        await connection.add_listener(self._channel, lambda *_: self._ring())
        self._connection = connection
        # What happened before LISTEN was not heard.
        self._ring()
        return connection

    def _lose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _ring(self) -> None:
        self._changes += 1
        self._change.set()
        self._change = asyncio.Event()

    async def _rung(self, since: int, most: float) -> None:
        """Waits for a notification after these, at most so long: one may be lost, the rows are not."""
        if self._changes == since and not self._closing.is_set():
            await pause(most, self._change)


def _first(found: list[T]) -> T | None:
    return found[0] if found else None


def _account_of_key(key: str) -> str:
    """The same key is the same account over HTTP, too."""
    digest = hashlib.sha256(f"paird idempotency key of an account\0{key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


_BY_SQLSTATE: list[tuple[str, ErrorCode]] = [
    ("53400", "limit"),
    ("08|53|57P|40", "unavailable"),
    ("28", "unauthorized"),
    ("42501", "forbidden"),
    ("23505", "conflict"),
    ("22|23|3D", "invalid"),
]


def _error_of(error: Exception) -> PairdError:
    state = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and isinstance(state, str):
        code: ErrorCode = next((code for states, code in _BY_SQLSTATE if re.match(states, state)), "server")
        constraint = getattr(error, "constraint_name", None)
        # The name of a limit is a sentence that says what it is.
        is_limit = state == "23514" and isinstance(constraint, str)
        words = constraint.replace("_", " ") if is_limit and isinstance(constraint, str) else str(error).split("\n")[0]
        return PairdError(code, words, sql_state=state)
    if isinstance(error, asyncpg.ClientConfigurationError):
        return PairdError("invalid", f"url: {error}")
    words = str(error).split("\n")[0] or type(error).__name__
    # An argument that cannot be written as its type. Everything else that is no answer of the server is the
    # connection's: lost, refused, or silent for too long.
    return PairdError("invalid" if isinstance(error, ValueError) else "unavailable", f"the database: {words}")
