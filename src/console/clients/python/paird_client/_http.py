"""The daemon's HTTP API."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar, cast
from urllib.parse import quote

import httpx

from ._errors import ErrorCode, PairdError
from ._offsets import Offsets
from ._retry import Backoff, patiently, pause
from ._schema import Account, Command, Event, Message, NewMessage
from ._transport import Delivery, Following, Queueing, look_every

T = TypeVar("T")

_REQUEST_TIMEOUT = 30.0
# The live stream has a comment every 15 s.
_SILENCE = 45.0
# Before the first event.
_START = "0-0"
_PAGE = 100
_LARGEST = 2**63 - 1


class HttpTransport:
    def __init__(self, url: str, token: str, *, offsets: Offsets | None, patience: float) -> None:
        if not re.match(r"https?://[^/?#]+", url):
            raise PairdError("invalid", "url: must begin with http:// or https:// and a host")
        # An error of the header would have the token in its text.
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise PairdError("invalid", "token: must be one word of visible ASCII characters")
        headers = {"Authorization": f"Bearer {token}"}
        # Not through HTTP_PROXY, which would be given the token.
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"), headers=headers, timeout=_REQUEST_TIMEOUT, trust_env=False
        )
        self._offsets = offsets
        self._patience = patience
        self._closing = asyncio.Event()

    async def accounts(self) -> list[Account]:
        return [_account_of(account) for account in _list(await self._json("GET", "/api/accounts"), "accounts")]

    async def account_by_id(self, account: str) -> Account | None:
        found = await self._found(f"/api/accounts/{account}")
        return None if found is None else _account_of(found)

    async def accounts_by_label(self, label: str) -> list[Account]:
        answer = await self._json("GET", f"/api/accounts?q={quote(label, safe='')}")
        return [_account_of(account) for account in _list(answer, "accounts") if account["label"] == label]

    async def add_account(self, label: str, operator: str | None, key: str) -> Account:
        body = {"label": label} if operator is None else {"label": label, "operatorId": operator}
        return _account_of(await self._json("POST", "/api/accounts", body, key))

    async def send_command(self, account: str, kind: str, args: Mapping[str, object], key: str) -> int:
        path = f"/api/accounts/{account}/commands"
        return _number(await self._json("POST", path, {"kind": kind, "args": args}, key))

    async def command(self, command: int) -> Command:
        # The daemon is held to its schemas by its own tests.
        return cast("Command", {"result": None, "doneAt": None, **await self._json("GET", f"/api/commands/{command}")})

    async def send_message(self, account: str, message: NewMessage, how: Queueing) -> int:
        body: dict[str, object] = {**message}
        if how.not_before is not None:
            body["notBefore"] = how.not_before
        if how.expires_at is not None:
            body["expiresAt"] = how.expires_at
        return _number(await self._json("POST", f"/api/accounts/{account}/messages", body, how.key))

    async def message(self, message: int) -> Message | None:
        found = await self._found(f"/api/messages/{message}")
        return None if found is None else _message_of(found)

    async def events_after(self, account: str, seq: int) -> list[Event]:
        return await self._events(account, f"after={seq}")

    async def seq_before(self, account: str, moment: str) -> int:
        limit, before = datetime.fromisoformat(moment), _LARGEST
        while page := await self._events(account, f"before={before}"):
            older = [event["seq"] for event in page if datetime.fromisoformat(event["createdAt"]) < limit]
            if older:
                return older[-1]
            before = page[0]["seq"]
        return 0

    async def qr(self, account: str) -> bytes | None:
        try:
            return (await self._ask("GET", f"/api/accounts/{account}/qr?format=png")).content
        except PairdError as error:
            if error.code == "not_found":
                return None
            raise

    async def pair_code(self, account: str) -> str | None:
        found = await self._found(f"/api/accounts/{account}")
        code = None if found is None else found.get("pairCode")
        return None if code is None else str(code)

    def changes(self) -> int:
        return 0

    async def changed(self, since: int, round_: int) -> None:
        """Looks again and again: a live stream for each wait would soon use up those of the daemon."""
        await pause(look_every(round_), self._closing)

    async def follow(self, how: Following) -> AsyncGenerator[Delivery, None]:
        name = self._name_of_position(how)
        cursor = self._load(name) or (_START if how.start == "start" else None)
        backoff = Backoff()

        async def reached(position: str) -> None:
            nonlocal cursor
            if cursor != position:
                cursor = position
                if name is not None and self._offsets is not None:
                    await asyncio.to_thread(self._offsets.save, name, position)

        while not self._closing.is_set():
            try:
                stream = self._stream(cursor)
                try:
                    async for kind, position, data in stream:
                        backoff.reset()
                        # Without a position: an account as it is now.
                        if position is None:
                            continue
                        # Where the stream begins: from now on, also after the database was set back to before ours.
                        if kind is None:
                            await reached(position)
                            continue
                        event = _streamed_event(data)
                        if how.account is not None and event["accountId"] != how.account:
                            await reached(position)
                            continue

                        async def acknowledge(position: str = position) -> None:
                            await reached(position)

                        yield Delivery(event, acknowledge)
                finally:
                    await stream.aclose()
            except PairdError as error:
                if self._closing.is_set():
                    return
                if error.code != "unavailable":
                    raise
            await pause(backoff.next(), self._closing)

    async def close(self) -> None:
        self._closing.set()
        await self._http.aclose()

    def _name_of_position(self, how: Following) -> str | None:
        """The durable position of a consumer. That of all accounts is not that of one."""
        if how.consumer is None:
            return None
        if self._offsets is None:
            words = "over HTTP its position is kept on your side"
            raise PairdError("invalid", f"consumer: {words}: connect_http(url, token, offsets=file_offsets(directory))")
        return how.consumer if how.account is None else f"{how.consumer}/{how.account}"

    def _load(self, name: str | None) -> str | None:
        return None if name is None or self._offsets is None else self._offsets.load(name)

    async def _events(self, account: str, query: str) -> list[Event]:
        answer = await self._json("GET", f"/api/accounts/{account}/events?{query}&limit={_PAGE}")
        return [_event({**event, "kind": event["type"]}) for event in _list(answer, "events")]

    async def _found(self, path: str) -> dict[str, object] | None:
        try:
            return await self._json("GET", path)
        except PairdError as error:
            if error.code == "not_found":
                return None
            raise

    async def _json(
        self, method: str, path: str, body: Mapping[str, object] | None = None, key: str | None = None
    ) -> dict[str, object]:
        return cast("dict[str, object]", (await self._ask(method, path, body, key)).json())

    async def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, key: str | None = None
    ) -> httpx.Response:
        """The whole answer, after as many tries as it takes.

        What changes something has a key, so that it may be sent again.
        """
        headers = {} if key is None else {"Idempotency-Key": key}

        async def ask() -> httpx.Response:
            response = await _reached(lambda: self._http.request(method, path, headers=headers, json=body))
            if not response.is_success:
                raise _problem_of(response)
            return response

        return await patiently(ask, self._patience, self._closing)

    async def _stream(self, cursor: str | None) -> AsyncGenerator[tuple[str | None, str | None, str], None]:
        """Kind, position and data of each block, of one connection, until it is lost."""
        headers = {"Accept": "text/event-stream"}
        if cursor is not None:
            headers["Last-Event-ID"] = cursor
        timeout = httpx.Timeout(_REQUEST_TIMEOUT, read=_SILENCE)
        request = self._http.build_request("GET", "/api/events", headers=headers, timeout=timeout)
        response = await _reached(lambda: self._http.send(request, stream=True))
        try:
            if not response.is_success:
                await _reached(response.aread)
                raise _problem_of(response)
            parts = response.aiter_text()
            rest = ""
            # Not aiter_lines: it breaks a line at characters that a label may have.
            while (part := await _reached(lambda: anext(parts, None))) is not None:
                *blocks, rest = (rest + part).split("\n\n")
                for block in blocks:
                    yield _frame_of(block)
        finally:
            await response.aclose()


async def _reached(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except httpx.InvalidURL as error:
        raise PairdError("invalid", f"url: {error}") from error
    except (httpx.HTTPError, httpx.StreamError, RuntimeError) as error:
        # httpx says of a client that was closed that it is a RuntimeError.
        words = str(error) or type(error).__name__
        raise PairdError("unavailable", f"the daemon cannot be reached: {words}") from error


def _frame_of(block: str) -> tuple[str | None, str | None, str]:
    kind, position, data = None, None, ""
    for line in block.split("\n"):
        field, _, value = line.partition(": ")
        if field == "event":
            kind = value
        elif field == "id":
            position = value
        elif field == "data":
            data += value
    return kind, position, data


def _streamed_event(data: str) -> Event:
    """The stream has the fields of the payload beside those of the event."""
    fields: dict[str, object] = json.loads(data)
    beside = ("type", "id", "accountId", "seq", "createdAt", "eventText", "tone", "reasonText")
    payload = {name: value for name, value in fields.items() if name not in beside}
    return _event({**fields, "kind": fields["type"], "payload": payload})


def _event(given: Mapping[str, object]) -> Event:
    fields = ("kind", "id", "accountId", "seq", "createdAt", "payload")
    return cast("Event", {name: given[name] for name in fields})


def _account_of(given: Mapping[str, object]) -> Account:
    """Of the fields that an answer has, those of the type; absent is null."""
    return cast("Account", {name: given.get(name) for name in Account.__annotations__})


def _message_of(given: Mapping[str, object]) -> Message:
    return cast("Message", {name: given.get(name) for name in Message.__annotations__})


def _list(answer: Mapping[str, object], name: str) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", answer[name])


def _number(answer: Mapping[str, object]) -> int:
    return cast("int", answer["id"])


_BY_STATUS: dict[int, ErrorCode] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "limit",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}


def _problem_of(response: httpx.Response) -> PairdError:
    status = response.status_code
    detail = f"the daemon answers {status}"
    told = ""
    try:
        problem = response.json()
        detail = str(problem["detail"])
        told = str(problem["code"])
    except (ValueError, KeyError, TypeError):
        # No problem of ours: a proxy's page, or nothing.
        pass
    code = _BY_STATUS.get(status, "invalid" if status < 500 else "server")
    if told == "key-taken":
        code = "conflict"
    elif status == 404 and not told:
        # Whoever answers so without a code is not the daemon, and does not know what is there.
        code = "unavailable"
    return PairdError(code, detail, status=status)
