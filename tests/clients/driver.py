"""Does with the packed Python client what it reads, line by line, and says what came of it.

The same as driver.mjs does with the TypeScript client; what is read and said is described there.
"""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from paird_client import Client, PairdError, connect_http, connect_sql, file_offsets

# How the options of driver.mjs are called here.
NAMES = {
    "operatorId": "operator_id",
    "expectPhone": "expect_phone",
    "notBefore": "not_before",
    "expiresAt": "expires_at",
    "from": "start",
}


def say(line: Mapping[str, object]) -> None:
    print(json.dumps(line), flush=True)


def say_error(error: PairdError) -> None:
    say({"error": {"code": error.code, "message": str(error)}})


def connected() -> Client:
    patience = float(os.environ.get("PAIRD_PATIENCE_MS", "30000")) / 1000
    if sys.argv[1] == "sql":
        return connect_sql(os.environ["PAIRD_SQL"], patience=patience)
    directory = os.environ.get("PAIRD_OFFSETS")
    offsets = file_offsets(directory) if directory else None
    return connect_http(os.environ["PAIRD_URL"], os.environ["PAIRD_TOKEN"], offsets=offsets, patience=patience)


async def read_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


async def carry_out(client: Client, line: dict[str, Any]) -> object:
    options = {NAMES.get(name, name): value for name, value in line.get("options", {}).items()}
    if "timeoutMs" in options:
        options["timeout"] = options.pop("timeoutMs") / 1000
    match line["call"]:
        case "accounts":
            return await client.accounts()
        case "create":
            return await client.create(line["label"], **options)
        case "send":
            return await client.send(line["account"], line["message"], **options)
        case "unpair":
            await client.unpair(line["account"], **options)
        case "cancel":
            await client.cancel(line["account"], **options)
        case "command":
            return await client.command(line["account"], line["kind"], line["args"], **options)
        case "delete":
            await client.delete(line["account"], **options)
        case "pair":
            async for step in client.pair(line["account"], **options):
                if step["kind"] == "qr":
                    say({"item": {**step, "png": base64.b64encode(step["png"]).decode()}})
                else:
                    say({"item": step})
        case "events":
            await hand_out(client.events(**options), line.get("free", False))
        case "messages":
            await hand_out(client.messages(**options), line.get("free", False))
        case call:
            raise ValueError(f"no such call: {call}")
    return None


async def hand_out(items: AsyncGenerator[Mapping[str, object], None], free: bool) -> None:
    async for item in items:
        say({"item": item})
        if not free and not await read_line():
            return


async def main() -> None:
    try:
        client = connected()
    except PairdError as error:
        return say_error(error)
    async with client:
        while line := await read_line():
            try:
                say({"result": await carry_out(client, json.loads(line))})
            except PairdError as error:
                say_error(error)


asyncio.run(main())
