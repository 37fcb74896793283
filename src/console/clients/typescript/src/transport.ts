import type { Account, Command, CommandArgs, Event, Message, NewMessage } from "./schema.js";

export interface Queueing {
  key: string;
  notBefore?: string | undefined;
  expiresAt?: string | undefined;
}

export interface Following {
  consumer?: string | undefined;
  from: "start" | "now";
  /** Only events of this account. */
  account?: string | undefined;
}

/** An event, and what moves the consumer's position past it. */
export interface Delivery {
  event: Event;
  acknowledge(): Promise<void>;
}

/** A way in. Each call goes on through a lost connection for as long as the client is patient. */
export interface Transport {
  accounts(): Promise<Account[]>;
  accountById(id: string): Promise<Account | undefined>;
  accountsByLabel(label: string): Promise<Account[]>;
  addAccount(label: string, operator: string | undefined, key: string): Promise<Account>;
  sendCommand<K extends keyof CommandArgs>(account: string, kind: K, args: CommandArgs[K], key: string): Promise<number>;
  command(id: number): Promise<Command>;
  sendMessage(account: string, message: NewMessage, how: Queueing): Promise<number>;
  message(id: number): Promise<Message | undefined>;
  /** A page of them, by `seq`. */
  eventsAfter(account: string, seq: number): Promise<Event[]>;
  /** The `seq` of the last event that is older than this, or 0. */
  seqBefore(account: string, time: string): Promise<number>;
  /** The QR to scan as a PNG, while there is one. */
  qr(account: string): Promise<Uint8Array | undefined>;
  /** The code to type, while there is one. */
  pairCode(account: string): Promise<string | undefined>;
  /** Of changes so far; to be taken before one looks. */
  changes(): number;
  /** Waits for a change after these, for a while that is longer in later rounds. */
  changed(since: number, round: number): Promise<void>;
  /** Without an end; it survives every loss of a connection. */
  follow(how: Following): AsyncGenerator<Delivery, void, void>;
  close(): Promise<void>;
}

/** How long one waits for a change, unless it is announced: soon at first, then every second. */
export function lookEvery(round: number): number {
  return Math.min(50 * 2 ** Math.min(round, 10), 1_000);
}
