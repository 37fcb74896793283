from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self, TypeAlias, TypedDict, overload

from ._errors import PairdError
from ._schema import (
    Account,
    AccountCancelArgs,
    AccountDeleteArgs,
    AccountPairArgs,
    AccountPasskeyArgs,
    AccountReconnectArgs,
    AccountResumeArgs,
    AccountUnpairArgs,
    ChatReadArgs,
    ChatTypingArgs,
    Command,
    ContactCheckArgs,
    Event,
    GroupsSyncArgs,
    Message,
    NewMessage,
    SessionCancelledPayload,
    SessionConnectedPayload,
    SessionDuplicatePayload,
    SessionFailedPayload,
    SessionPasskeyPayload,
    SessionTimeoutPayload,
    SessionWrongPhonePayload,
)
from ._transport import Following, Queueing, Transport

State: TypeAlias = Literal["queued", "sending", "sent", "delivered", "read"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# What a header can hold: a key is the same over SQL and over HTTP.
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?")
_STATES: list[str] = ["queued", "sending", "sent", "delivered", "read"]
_ENDED = ("failed", "cancelled", "expired")
_COMMAND_TIMEOUT = 60.0
_SHOWS = ("session.qr", "session.code", "session.passkey")
# The attempt before ends in the statement that begins the new one; the two have a time each.
_ONE_STATEMENT = timedelta(seconds=1)


class PairQr(TypedDict):
    """A QR to show."""

    kind: Literal["qr"]
    png: bytes
    expiresAt: str


class PairCode(TypedDict):
    """A code to type on the phone."""

    kind: Literal["code"]
    code: str
    expiresAt: str


class PairPasskey(SessionPasskeyPayload):
    kind: Literal["passkey"]


class PairConnected(SessionConnectedPayload):
    kind: Literal["connected"]


class PairDuplicate(SessionDuplicatePayload):
    kind: Literal["duplicate"]


class PairWrongPhone(SessionWrongPhonePayload):
    kind: Literal["wrong_phone"]


class PairTimeout(SessionTimeoutPayload):
    kind: Literal["timeout"]


class PairCancelled(SessionCancelledPayload):
    kind: Literal["cancelled"]


class PairFailed(SessionFailedPayload):
    kind: Literal["failed"]


PairEnd: TypeAlias = PairConnected | PairDuplicate | PairWrongPhone | PairTimeout | PairCancelled | PairFailed
"""How an attempt ended."""

PairStep: TypeAlias = PairQr | PairCode | PairPasskey | PairEnd
"""What happens in an attempt: what to show now, and at last how it ended."""

AnyArgs: TypeAlias = (
    AccountCancelArgs
    | AccountDeleteArgs
    | AccountPairArgs
    | AccountPasskeyArgs
    | AccountReconnectArgs
    | AccountResumeArgs
    | AccountUnpairArgs
    | ChatReadArgs
    | ChatTypingArgs
    | ContactCheckArgs
    | GroupsSyncArgs
)


class Client:
    """What a program does with paird. An account is named by its label or its id."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends every iterator that waits."""
        await self._transport.close()

    async def accounts(self) -> list[Account]:
        """All accounts, in the order of their creation."""
        return await self._transport.accounts()

    async def account(self, account: str) -> Account:
        if _UUID.fullmatch(account):
            found = await self._transport.account_by_id(account)
            if found is None:
                raise PairdError("not_found", f"there is no account {account}, or it was deleted")
            return found
        named = await self._transport.accounts_by_label(account)
        shown = json.dumps(account, ensure_ascii=False)
        if not named:
            raise PairdError("not_found", f"there is no account with the label {shown}")
        if len(named) > 1:
            raise PairdError("ambiguous", f"several accounts have the label {shown}: use the id")
        return named[0]

    async def create(self, label: str, *, operator_id: str | None = None, key: str | None = None) -> Account:
        """Adds an account, which is unpaired at first.

        The same key again is the same request, here and in all other calls: use one to repeat a call whose answer was
        lost with its process.
        """
        return await self._transport.add_account(label, operator_id, _checked(key))

    async def pair(
        self, account: str, *, phone: str | None = None, expect_phone: str | None = None, key: str | None = None
    ) -> AsyncGenerator[PairStep, None]:
        """Pairs an account, with a `phone` by a code to type.

        Yields each QR and code to show, and the end of the attempt as the last item. The attempt begins with the first
        item that is asked for, and goes on if nobody asks for more: `cancel` ends it. With the `key` of an attempt it
        follows that one, after a restart, say.
        """
        args: AccountPairArgs = {}
        if phone is not None:
            args["method"] = "code"
            args["phone"] = phone
        if expect_phone is not None:
            args["expectPhone"] = expect_phone
        row = (await self.account(account))["id"]
        begun = await self._carried_out(
            await self._transport.send_command(row, "account.pair", {**args}, _checked(key))
        )
        seq = await self._transport.seq_before(row, begun["createdAt"])
        round_, has_shown = 0, False
        while True:
            changes = self._transport.changes()
            events = await self._transport.events_after(row, seq)
            for event in events:
                seq = event["seq"]
                end = _end_of(event)
                has_shown = has_shown or (event["kind"] in _SHOWS and _is_after(event, begun, timedelta()))
                if end is not None and (has_shown or not _is_of_the_attempt_before(event, begun)):
                    yield end
                    return
                # Only the newest is on the row.
                if not any(other["kind"] == event["kind"] and other["seq"] > seq for other in events):
                    step = await self._shown(row, event)
                    if step is not None:
                        yield step
            if events:
                round_ = 0
            else:
                await self._transport.changed(changes, round_)
                round_ += 1

    async def cancel(self, account: str, *, key: str | None = None) -> None:
        """Ends the pair attempt."""
        await self.command(account, "account.cancel", {}, key=key)

    async def unpair(self, account: str, *, logout: bool = False, key: str | None = None) -> None:
        """Closes the connection and keeps it closed; with `logout` the device is removed from the phone, too."""
        await self.command(account, "account.unpair", {"logout": logout}, key=key)

    async def delete(self, account: str, *, key: str | None = None) -> None:
        """Removes the device from the phone and erases the account. It is gone from the list at once."""
        await self.command(account, "account.delete", {}, key=key)

    @overload
    async def command(
        self, account: str, kind: Literal["account.pair"], args: AccountPairArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self, account: str, kind: Literal["account.passkey"], args: AccountPasskeyArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self, account: str, kind: Literal["account.unpair"], args: AccountUnpairArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self, account: str, kind: Literal["chat.read"], args: ChatReadArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self, account: str, kind: Literal["chat.typing"], args: ChatTypingArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self, account: str, kind: Literal["contact.check"], args: ContactCheckArgs, *, key: str | None = None
    ) -> Command: ...

    @overload
    async def command(
        self,
        account: str,
        kind: Literal["account.cancel", "account.delete", "account.reconnect", "account.resume", "groups.sync"],
        args: GroupsSyncArgs,
        *,
        key: str | None = None,
    ) -> Command: ...

    async def command(self, account: str, kind: str, args: AnyArgs, *, key: str | None = None) -> Command:
        """Has a command carried out, and returns it when it is done."""
        row = (await self.account(account))["id"]
        return await self._carried_out(await self._transport.send_command(row, kind, {**args}, _checked(key)))

    async def send(
        self,
        account: str,
        message: NewMessage,
        *,
        key: str | None = None,
        until: State = "sent",
        not_before: str | datetime | None = None,
        expires_at: str | datetime | None = None,
        timeout: float = 60.0,
    ) -> Message:
        """Sends a message, once for each `key`, and returns it when it has reached the state `until`.

        It is waited for during `timeout` seconds. The message goes on: call again with the same key.
        """
        row = (await self.account(account))["id"]
        how = Queueing(_checked(key), _moment("not_before", not_before), _moment("expires_at", expires_at))
        sent_as = await self._transport.send_message(row, message, how)
        deadline = time.monotonic() + timeout
        round_ = 0
        while True:
            changes = self._transport.changes()
            sent = await self.message(sent_as)
            state = sent["state"]
            if state in _STATES and _STATES.index(state) >= _STATES.index(until):
                return sent
            reason = f", {sent['reason']}" if sent["reason"] else ""
            if state in _ENDED:
                raise PairdError("not_sent", f"message {sent_as} is {state}{reason}", sent_message=sent)
            if time.monotonic() >= deadline:
                words = f"message {sent_as} is not {until} after {timeout:g} s, but {state}{reason}"
                raise PairdError("timeout", words, sent_message=sent)
            await self._transport.changed(changes, round_)
            round_ += 1

    async def message(self, message: int) -> Message:
        found = await self._transport.message(message)
        if found is None:
            raise PairdError("not_found", f"there is no message {message}")
        return found

    async def events(
        self,
        *,
        consumer: str | None = None,
        start: Literal["start", "now"] | None = None,
        account: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Everything that happens, in order per account, without an end.

        With a `consumer`, the name of a durable position, it goes on where the last process of this name was: at least
        once, and again only the one event that it was at. The position moves past an event when the next one is asked
        for. `start` says where it begins without a position: at the `start`, the default with a consumer, or `now`.
        """
        if consumer is not None and not 1 <= len(consumer) <= 200:
            raise PairdError("invalid", "consumer: must have 1 to 200 characters")
        begin = start or ("now" if consumer is None else "start")
        row = None if account is None else (await self.account(account))["id"]
        try:
            async with aclosing(self._transport.follow(Following(consumer, begin, row))) as deliveries:
                async for delivery in deliveries:
                    yield delivery.event
                    await delivery.acknowledge()
        except PairdError as error:
            if error.code != "closed":
                raise

    async def messages(
        self,
        *,
        consumer: str | None = None,
        start: Literal["start", "now"] | None = None,
        account: str | None = None,
    ) -> AsyncGenerator[Message, None]:
        """What people write to the accounts, and what their owners write on the phone.

        Each message as soon as it can be read. Positions are those of `events`: a consumer is one or the other.
        """
        async with aclosing(self.events(consumer=consumer, start=start, account=account)) as events:
            async for event in events:
                if (
                    event["kind"] == "message.received"
                    or event["kind"] == "message.echo"
                    or event["kind"] == "message.recovered"
                ):
                    message = await self._transport.message(event["payload"]["messageId"])
                    # Else it is gone, with its account.
                    if message is not None:
                        yield message

    async def _carried_out(self, command: int) -> Command:
        deadline = time.monotonic() + _COMMAND_TIMEOUT
        round_ = 0
        while True:
            changes = self._transport.changes()
            shown = await self._transport.command(command)
            if shown["state"] == "done":
                return shown
            if shown["state"] == "failed":
                raise PairdError("command_failed", shown["result"] or f"{shown['kind']} failed")
            if time.monotonic() >= deadline:
                words = f"{shown['kind']} is {shown['state']} after {_COMMAND_TIMEOUT:g} s: is a daemon running?"
                raise PairdError("timeout", words)
            await self._transport.changed(changes, round_)
            round_ += 1

    async def _shown(self, account: str, event: Event) -> PairStep | None:
        """What there is to show because of an event."""
        if event["kind"] == "session.qr":
            png = await self._transport.qr(account)
            return None if png is None else {"kind": "qr", "png": png, "expiresAt": event["payload"]["expiresAt"]}
        if event["kind"] == "session.code":
            code = await self._transport.pair_code(account)
            return None if code is None else {"kind": "code", "code": code, "expiresAt": event["payload"]["expiresAt"]}
        if event["kind"] == "session.passkey":
            return {"kind": "passkey", **event["payload"]}
        return None


def _end_of(event: Event) -> PairEnd | None:
    match event["kind"]:
        case "session.connected":
            return {"kind": "connected", **event["payload"]}
        case "session.duplicate":
            return {"kind": "duplicate", **event["payload"]}
        case "session.wrong_phone":
            return {"kind": "wrong_phone", **event["payload"]}
        case "session.timeout":
            return {"kind": "timeout", **event["payload"]}
        case "session.cancelled":
            return {"kind": "cancelled", **event["payload"]}
        case "session.failed":
            return {"kind": "failed", **event["payload"]}
        case _:
            return None


def _is_of_the_attempt_before(event: Event, begun: Command) -> bool:
    """A new attempt replaces the one before, whose end is told first."""
    if event["kind"] != "session.cancelled" or event["payload"]["reason"] != "superseded":
        return False
    return not _is_after(event, begun, _ONE_STATEMENT)


def _is_after(event: Event, command: Command, margin: timedelta) -> bool:
    done = command["doneAt"]
    return done is not None and datetime.fromisoformat(event["createdAt"]) > datetime.fromisoformat(done) + margin


def _checked(key: str | None) -> str:
    # One of our own makes it safe to ask again after a lost answer.
    if key is None:
        return str(uuid.uuid4())
    if not _KEY.fullmatch(key):
        raise PairdError("invalid", "key: must be 1 to 200 visible ASCII characters")
    return key


def _moment(name: str, value: str | datetime | None) -> str | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PairdError("invalid", f"{name}: must be a point in time with its time zone")
    return moment.isoformat()
