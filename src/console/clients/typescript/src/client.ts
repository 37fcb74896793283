import { randomUUID } from "node:crypto";

import { PairdError } from "./errors.js";
import type { Account, Command, CommandArgs, Event, Message, NewMessage } from "./schema.js";
import type { Transport } from "./transport.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What a header can hold: a key is the same over SQL and over HTTP. */
const KEY = /^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/;
const STATES = ["queued", "sending", "sent", "delivered", "read"] as const;
const ENDED = ["failed", "cancelled", "expired"];
const SEND_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 60_000;
const SHOWS: Event["kind"][] = ["session.qr", "session.code", "session.passkey"];
/** The attempt before ends in the statement that begins the new one; the two have a time each. */
const ONE_STATEMENT_MS = 1_000;

export interface WithKey {
  /** The same key again is the same request: use one to repeat a call whose answer was lost with its process. */
  key?: string;
}

export interface CreateOptions extends WithKey {
  /** The operator it belongs to, an id; else the default operator. */
  operatorId?: string;
}

export interface PairOptions extends WithKey {
  /** Pairs this number by a code to type, instead of a QR alone. */
  phone?: string;
  /** The only number that may be linked. */
  expectPhone?: string;
}

export interface SendOptions extends WithKey {
  /** The state that is waited for; `sent` by default. */
  until?: (typeof STATES)[number];
  /** Not sent before, and not after. */
  notBefore?: string | Date;
  expiresAt?: string | Date;
  /** How long it is waited for, a minute by default. The message goes on: call again with the same key. */
  timeoutMs?: number;
}

export interface FollowOptions {
  /** The name of a durable position. It moves past an item when the next one is asked for. */
  consumer?: string;
  /** Where it begins without a position: `start` is the default with a consumer, `now` without. */
  from?: "start" | "now";
  /** Only of this account: its label or id. */
  account?: string;
}

type Payload<Kind extends Event["kind"]> = Extract<Event, { kind: Kind }>["payload"];
type EndOf<Kind extends string> = Kind extends string ? { kind: Kind } & Payload<Extract<Event["kind"], `session.${Kind}`>> : never;

/** How an attempt ended. */
export type PairEnd = EndOf<"connected" | "duplicate" | "wrong_phone" | "timeout" | "cancelled" | "failed">;

/** What happens in an attempt: what to show now, and at last how it ended. */
export type PairStep =
  | { kind: "qr"; png: Uint8Array; expiresAt: string }
  | { kind: "code"; code: string; expiresAt: string }
  | ({ kind: "passkey" } & Payload<"session.passkey">)
  | PairEnd;

/** What a program does with paird. An account is named by its label or its id. */
export class Client {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All accounts, in the order of their creation. */
  accounts(): Promise<Account[]> {
    return this.#transport.accounts();
  }

  async account(account: string): Promise<Account> {
    if (UUID.test(account)) {
      const found = await this.#transport.accountById(account);
      if (!found) throw new PairdError("not_found", `there is no account ${account}, or it was deleted`);
      return found;
    }
    const [found, another] = await this.#transport.accountsByLabel(account);
    if (!found) throw new PairdError("not_found", `there is no account with the label ${JSON.stringify(account)}`);
    if (another) throw new PairdError("ambiguous", `several accounts have the label ${JSON.stringify(account)}: use the id`);
    return found;
  }

  /** Adds an account, which is unpaired at first. */
  create(label: string, { operatorId, key }: CreateOptions = {}): Promise<Account> {
    return this.#transport.addAccount(label, operatorId, checkedKey(key));
  }

  /**
   * Pairs an account: yields each QR and code to show, and the end of the attempt as the last item. The attempt begins
   * with the first item that is asked for, and goes on if nobody asks for more: `cancel` ends it. With the `key` of
   * an attempt it follows that one, after a restart, say.
   */
  async *pair(account: string, { phone, expectPhone, key }: PairOptions = {}): AsyncGenerator<PairStep, void, void> {
    const args: CommandArgs["account.pair"] = {
      ...(phone === undefined ? {} : { method: "code", phone }),
      ...(expectPhone === undefined ? {} : { expectPhone }),
    };
    const { id } = await this.account(account);
    const begun = await this.#carriedOut(await this.#transport.sendCommand(id, "account.pair", args, checkedKey(key)));
    let seq = await this.#transport.seqBefore(id, begun.createdAt);
    let hasShown = false;
    for (let round = 0; ; round += 1) {
      const changes = this.#transport.changes();
      const events = await this.#transport.eventsAfter(id, seq);
      for (const event of events) {
        seq = event.seq;
        const end = endOf(event);
        hasShown ||= SHOWS.includes(event.kind) && isAfter(event, begun, 0);
        if (end && (hasShown || !isOfTheAttemptBefore(event, begun))) {
          yield end;
          return;
        }
        // Only the newest is on the row.
        const isOver = events.some((other) => other.kind === event.kind && other.seq > event.seq);
        if (!isOver) yield* this.#shown(id, event);
      }
      if (events.length > 0) round = -1;
      else await this.#transport.changed(changes, round);
    }
  }

  /** Ends the pair attempt. */
  async cancel(account: string, { key }: WithKey = {}): Promise<void> {
    await this.command(account, "account.cancel", {}, { key });
  }

  /** Closes the connection and keeps it closed; with `logout` the device is removed from the phone, too. */
  async unpair(account: string, { logout = false, key }: { logout?: boolean } & WithKey = {}): Promise<void> {
    await this.command(account, "account.unpair", { logout }, { key });
  }

  /** Removes the device from the phone and erases the account. It is gone from the list at once. */
  async delete(account: string, { key }: WithKey = {}): Promise<void> {
    await this.command(account, "account.delete", {}, { key });
  }

  /** Has a command carried out, and returns it when it is done. */
  async command<K extends keyof CommandArgs>(
    account: string,
    kind: K,
    args: CommandArgs[K],
    { key }: { key?: string | undefined } = {},
  ): Promise<Command> {
    const { id } = await this.account(account);
    return this.#carriedOut(await this.#transport.sendCommand(id, kind, args, checkedKey(key)));
  }

  /** Sends a message, once for each `key`, and returns it when it has reached a state. */
  async send(account: string, message: NewMessage, options: SendOptions = {}): Promise<Message> {
    const { id: from } = await this.account(account);
    const { until = "sent", timeoutMs = SEND_TIMEOUT_MS, notBefore, expiresAt } = options;
    const how = { key: checkedKey(options.key), notBefore: time("notBefore", notBefore), expiresAt: time("expiresAt", expiresAt) };
    const id = await this.#transport.sendMessage(from, message, how);
    const deadline = Date.now() + timeoutMs;
    for (let round = 0; ; round += 1) {
      const changes = this.#transport.changes();
      const sent = await this.message(id);
      if (STATES.findIndex((state) => state === sent.state) >= STATES.indexOf(until)) return sent;
      const reason = sent.reason ? `, ${sent.reason}` : "";
      if (ENDED.includes(sent.state)) {
        throw new PairdError("not_sent", `message ${id} is ${sent.state}${reason}`, { sentMessage: sent });
      }
      if (Date.now() >= deadline) {
        const words = `message ${id} is not ${until} after ${timeoutMs} ms, but ${sent.state}${reason}`;
        throw new PairdError("timeout", words, { sentMessage: sent });
      }
      await this.#transport.changed(changes, round);
    }
  }

  async message(id: number): Promise<Message> {
    const found = await this.#transport.message(id);
    if (!found) throw new PairdError("not_found", `there is no message ${id}`);
    return found;
  }

  /**
   * Everything that happens, in order per account, without an end. With a `consumer` it goes on where the last process
   * of this name was: at least once, and again only the one event that it was at.
   */
  async *events(options: FollowOptions = {}): AsyncGenerator<Event, void, void> {
    const { consumer, from = consumer === undefined ? "now" : "start" } = options;
    if (consumer !== undefined && (consumer === "" || consumer.length > 200)) {
      throw new PairdError("invalid", "consumer: must have 1 to 200 characters");
    }
    const account = options.account === undefined ? undefined : (await this.account(options.account)).id;
    try {
      for await (const { event, acknowledge } of this.#transport.follow({ consumer, from, account })) {
        yield event;
        await acknowledge();
      }
    } catch (error) {
      if (!(error instanceof PairdError) || error.code !== "closed") throw error;
    }
  }

  /**
   * What people write to the accounts, and what their owners write on the phone: each message as soon as it can be read.
   * Positions are those of `events`: a consumer is one or the other.
   */
  async *messages(options: FollowOptions = {}): AsyncGenerator<Message, void, void> {
    for await (const event of this.events(options)) {
      if (event.kind !== "message.received" && event.kind !== "message.echo" && event.kind !== "message.recovered") continue;
      const message = await this.#transport.message(event.payload.messageId);
      // Gone, with its account.
      if (message) yield message;
    }
  }

  /** Ends every iterator that waits. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async #carriedOut(id: number): Promise<Command> {
    const deadline = Date.now() + COMMAND_TIMEOUT_MS;
    for (let round = 0; ; round += 1) {
      const changes = this.#transport.changes();
      const command = await this.#transport.command(id);
      if (command.state === "done") return command;
      if (command.state === "failed") throw new PairdError("command_failed", command.result ?? `${command.kind} failed`);
      if (Date.now() >= deadline) {
        throw new PairdError("timeout", `${command.kind} is ${command.state} after ${COMMAND_TIMEOUT_MS} ms: is a daemon running?`);
      }
      await this.#transport.changed(changes, round);
    }
  }

  /** What there is to show because of an event. */
  async *#shown(account: string, event: Event): AsyncGenerator<PairStep, void, void> {
    if (event.kind === "session.qr") {
      const png = await this.#transport.qr(account);
      if (png) yield { kind: "qr", png, expiresAt: event.payload.expiresAt };
    } else if (event.kind === "session.code") {
      const code = await this.#transport.pairCode(account);
      if (code) yield { kind: "code", code, expiresAt: event.payload.expiresAt };
    } else if (event.kind === "session.passkey") {
      yield { kind: "passkey", ...event.payload };
    }
  }
}

function endOf(event: Event): PairEnd | undefined {
  switch (event.kind) {
    case "session.connected":
      return { kind: "connected", ...event.payload };
    case "session.duplicate":
      return { kind: "duplicate", ...event.payload };
    case "session.wrong_phone":
      return { kind: "wrong_phone", ...event.payload };
    case "session.timeout":
      return { kind: "timeout", ...event.payload };
    case "session.cancelled":
      return { kind: "cancelled", ...event.payload };
    case "session.failed":
      return { kind: "failed", ...event.payload };
    default:
      return undefined;
  }
}

/** A new attempt replaces the one before, whose end is told first. */
function isOfTheAttemptBefore(event: Event, begun: Command): boolean {
  return event.kind === "session.cancelled" && event.payload.reason === "superseded" && !isAfter(event, begun, ONE_STATEMENT_MS);
}

function isAfter(event: Event, command: Command, ms: number): boolean {
  return command.doneAt !== null && Date.parse(event.createdAt) > Date.parse(command.doneAt) + ms;
}

function checkedKey(key: string | undefined): string {
  // One of our own makes it safe to ask again after a lost answer.
  if (key === undefined) return randomUUID();
  if (!KEY.test(key)) throw new PairdError("invalid", "key: must be 1 to 200 visible ASCII characters");
  return key;
}

function time(name: string, value: string | Date | undefined): string | undefined {
  if (value === undefined) return undefined;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) throw new PairdError("invalid", `${name}: must be a point in time`);
  return typeof value === "string" ? value : date.toISOString();
}
