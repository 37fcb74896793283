import { createHash } from "node:crypto";

import pg from "pg";

import { PairdError, type ErrorCode } from "./errors.js";
import { Backoff, isPassing, patiently, pause } from "./retry.js";
import type { Account, Command, CommandArgs, Event, Message, NewMessage } from "./schema.js";
import { lookEvery, type Delivery, type Following, type Queueing, type Transport } from "./transport.js";

export type SqlConfig = pg.ClientConfig;

export interface SqlOptions {
  /** The daemon's `PAIRD_EVENT_CHANNEL`. */
  channel?: string;
  /** How long a call waits for the database before it fails as `unavailable`; 30 s by default. */
  patienceMs?: number;
}

const DEFAULT_OPERATOR = "00000000-0000-0000-0000-000000000001";
const PAGE = 100;
/** An event that no notification announced is found then. */
const LOOK_FOR_EVENTS_MS = 5_000;
const TIMEOUTS = { query_timeout: 30_000, connectionTimeoutMillis: 30_000 };

// Postgres writes the documents of the API itself: times and large numbers then look the same both ways.
const ACCOUNT = `json_build_object('id', id, 'operatorId', operator_id, 'label', label, 'tags', tags, 'status', status,
  'statusReason', status_reason, 'statusSince', status_since, 'nextRetryAt', next_retry_at, 'desired', desired,
  'desiredPhone', desired_phone, 'phoneNumber', phone_number, 'lastPhoneNumber', last_phone_number,
  'hasKeys', keyring_id IS NOT NULL, 'deviceName', device_name, 'presence', presence, 'pairDeadline', pair_deadline,
  'sendingPausedUntil', sending_paused_until, 'createdAt', created_at) AS document`;
const MESSAGE = `json_build_object('id', m.id, 'accountId', m.account_id, 'direction', m.direction, 'chat', m.chat,
  'chatPhone', m.chat_phone, 'sender', m.sender, 'senderPhone', m.sender_phone, 'waId', m.wa_id, 'kind', m.kind,
  'refersTo', m.refers_to, 'state', m.state, 'reason', m.reason, 'code', m.code, 'key', m.key, 'notBefore', m.not_before,
  'expiresAt', m.expires_at, 'sentAt', m.sent_at, 'deliveredAt', m.delivered_at, 'readAt', m.read_at,
  'recoveredAt', m.recovered_at, 'createdAt', m.created_at, 'content', b.content) AS document`;
const EVENT = `json_build_object('id', id, 'accountId', account_id, 'seq', seq, 'kind', kind, 'payload', payload,
  'createdAt', created_at) AS document`;

/** Rows of a Postgres over one connection, which also hears the notifications and is made again after each loss. */
export class SqlTransport implements Transport {
  readonly #config: pg.ClientConfig;
  readonly #channel: string;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();
  #client: Promise<pg.Client> | undefined;
  #changes = 0;
  #waiting = new Set<() => void>();

  constructor(config: string | SqlConfig, { channel = "paird_event", patienceMs = 30_000 }: SqlOptions) {
    const given = typeof config === "string" ? { connectionString: config } : config;
    this.#config = { application_name: "paird-client", keepAlive: true, ...TIMEOUTS, ...given };
    this.#channel = channel;
    this.#patienceMs = patienceMs;
  }

  async accounts(): Promise<Account[]> {
    return this.#documents(`SELECT ${ACCOUNT} FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY created_at, id`, []);
  }

  async accountById(id: string): Promise<Account | undefined> {
    const sql = `SELECT ${ACCOUNT} FROM whatsapp_accounts WHERE id = $1 AND deleted_at IS NULL`;
    return (await this.#documents<Account>(sql, [id]))[0];
  }

  async accountsByLabel(label: string): Promise<Account[]> {
    return this.#documents(`SELECT ${ACCOUNT} FROM whatsapp_accounts WHERE label = $1 AND deleted_at IS NULL LIMIT 2`, [label]);
  }

  async addAccount(label: string, operator: string = DEFAULT_OPERATOR, key: string): Promise<Account> {
    const id = accountOfKey(key);
    const sql = `INSERT INTO whatsapp_accounts (id, operator_id, label) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`;
    await this.#query(sql, [id, operator, label]);
    const found = await this.accountById(id);
    if (!found) throw new PairdError("conflict", "key: the account with this key was deleted");
    if (found.label !== label || found.operatorId !== operator) {
      throw new PairdError("conflict", "key: another account has this key already");
    }
    return found;
  }

  async sendCommand<K extends keyof CommandArgs>(account: string, kind: K, args: CommandArgs[K], key: string): Promise<number> {
    const sql = "SELECT send_command($1, $2, $3, $4) AS id";
    return this.#number(sql, [kind, account, JSON.stringify(args), key]);
  }

  async command(id: number): Promise<Command> {
    const sql = `SELECT json_build_object('id', id, 'accountId', account_id, 'kind', kind, 'state', state, 'result', result,
      'createdAt', created_at, 'doneAt', done_at) AS document FROM commands WHERE id = $1`;
    const [found] = await this.#documents<Command>(sql, [id]);
    if (!found) throw new PairdError("not_found", `there is no command ${id}`);
    return found;
  }

  async sendMessage(account: string, message: NewMessage, { key, notBefore, expiresAt }: Queueing): Promise<number> {
    const sql = "SELECT send_message($1, $2, $3, $4, $5) AS id";
    return this.#number(sql, [account, JSON.stringify(message), key, notBefore, expiresAt]);
  }

  async message(id: number): Promise<Message | undefined> {
    const sql = `SELECT ${MESSAGE} FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.id = $1`;
    return (await this.#documents<Message>(sql, [id]))[0];
  }

  async eventsAfter(account: string, seq: number): Promise<Event[]> {
    const sql = `SELECT ${EVENT} FROM events WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT ${PAGE}`;
    return this.#documents(sql, [account, seq]);
  }

  async seqBefore(account: string, time: string): Promise<number> {
    return this.#number("SELECT coalesce(max(seq), 0) AS id FROM events WHERE account_id = $1 AND created_at < $2", [account, time]);
  }

  async qr(account: string): Promise<Uint8Array | undefined> {
    const png = await this.#text("SELECT last_qr_png AS text FROM whatsapp_accounts WHERE id = $1", [account]);
    return png === null ? undefined : Buffer.from(png, "base64");
  }

  async pairCode(account: string): Promise<string | undefined> {
    return (await this.#text("SELECT pair_code AS text FROM whatsapp_accounts WHERE id = $1", [account])) ?? undefined;
  }

  changes(): number {
    return this.#changes;
  }

  async changed(since: number, round: number): Promise<void> {
    await this.#rung(since, lookEvery(round));
  }

  async *follow({ consumer, from, account }: Following): AsyncGenerator<Delivery, void, void> {
    const backoff = new Backoff();
    // Without a consumer, this is where the position is.
    const read = new Map<string, number>();
    let begun = false;
    while (!this.#closing.signal.aborted) {
      const changes = this.#changes;
      let delivered = 0;
      try {
        if (!begun) await this.#begin(consumer, from, account, read);
        begun = true;
        for (const { id, seq } of await this.#behind(consumer, account, read)) {
          for (const event of await this.eventsAfter(id, Math.max(seq, read.get(id) ?? 0))) {
            delivered += 1;
            yield { event, acknowledge: () => this.#acknowledge(consumer, event, read) };
          }
        }
        backoff.reset();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (!isPassing(error)) throw error;
        await pause(backoff.next(), this.#closing.signal);
        continue;
      }
      if (delivered === 0) await this.#rung(changes, LOOK_FOR_EVENTS_MS);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#ring();
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  /** Where a consumer begins that has no position yet. */
  async #begin(consumer: string | undefined, from: "start" | "now", account: string | undefined, read: Map<string, number>): Promise<void> {
    if (from === "start") return;
    const ofAccount = "($1::uuid IS NULL OR id = $1)";
    if (consumer === undefined) {
      const { rows } = await this.#query(`SELECT id, event_seq AS seq FROM whatsapp_accounts WHERE ${ofAccount}`, [account]);
      for (const { id, seq } of rows) read.set(String(id), Number(seq));
      return;
    }
    await this.#query(
      `INSERT INTO event_consumers (consumer, account_id, seq)
       SELECT $2, id, event_seq FROM whatsapp_accounts
       WHERE ${ofAccount} AND NOT EXISTS (SELECT FROM event_consumers WHERE consumer = $2 AND ($1::uuid IS NULL OR account_id = $1))
       ON CONFLICT DO NOTHING`,
      [account, consumer],
    );
  }

  /** Accounts with events that were not read, and up to where they were. */
  async #behind(consumer: string | undefined, account: string | undefined, read: Map<string, number>): Promise<{ id: string; seq: number }[]> {
    const { rows } = await this.#query(
      `SELECT a.id, coalesce(c.seq, 0) AS seq FROM whatsapp_accounts a
       LEFT JOIN ${consumer === undefined ? "unnest($2::uuid[], $3::bigint[]) AS c (account_id, seq) ON" : "event_consumers c ON c.consumer = $2 AND"}
         c.account_id = a.id
       WHERE a.event_seq > coalesce(c.seq, 0) AND ($1::uuid IS NULL OR a.id = $1) ORDER BY a.id`,
      consumer === undefined ? [account, [...read.keys()], [...read.values()]] : [account, consumer],
    );
    return rows.map(({ id, seq }) => ({ id: String(id), seq: Number(seq) }));
  }

  async #acknowledge(consumer: string | undefined, event: Event, read: Map<string, number>): Promise<void> {
    read.set(event.accountId, event.seq);
    if (consumer === undefined) return;
    const sql = `INSERT INTO event_consumers AS c (consumer, account_id, seq) VALUES ($1, $2, $3)
      ON CONFLICT (consumer, account_id) DO UPDATE SET seq = greatest(c.seq, excluded.seq), updated_at = clock_timestamp()`;
    await this.#query(sql, [consumer, event.accountId, event.seq], Infinity);
  }

  async #documents<T>(sql: string, values: unknown[]): Promise<T[]> {
    const { rows } = await this.#query<{ document: T }>(sql, values);
    return rows.map((row) => row.document);
  }

  async #number(sql: string, values: unknown[]): Promise<number> {
    const { rows } = await this.#query<{ id: string }>(sql, values);
    return Number(rows[0]?.id);
  }

  async #text(sql: string, values: unknown[]): Promise<string | null> {
    const { rows } = await this.#query<{ text: string | null }>(sql, values);
    return rows[0]?.text ?? null;
  }

  async #query<Row extends pg.QueryResultRow = { [column: string]: unknown }>(
    sql: string,
    values: unknown[],
    patienceMs = this.#patienceMs,
  ): Promise<pg.QueryResult<Row>> {
    return patiently(
      async () => {
        this.#client ??= this.#connect();
        const connecting = this.#client;
        try {
          return await (await connecting).query<Row>(sql, values);
        } catch (error) {
          const typed = errorOf(error);
          if (isPassing(typed)) this.#lose(connecting);
          throw typed;
        }
      },
      patienceMs,
      this.#closing.signal,
    );
  }

  #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config);
    const connecting = (async () => {
      await client.connect();
      await client.query(`LISTEN ${pg.escapeIdentifier(this.#channel)}`);
      // What happened before LISTEN was not heard.
      this.#ring();
      return client;
    })();
    client.on("error", () => this.#lose(connecting));
    client.on("end", () => this.#lose(connecting));
    client.on("notification", () => this.#ring());
    connecting.catch(() => {
      this.#lose(connecting);
      client.end().catch(() => undefined);
    });
    return connecting;
  }

  #lose(connecting: Promise<pg.Client>): void {
    if (this.#client !== connecting) return;
    this.#client = undefined;
    connecting.then((client) => client.end()).catch(() => undefined);
    this.#ring();
  }

  #ring(): void {
    this.#changes += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Waits for a notification after these, at most so long: one may be lost, the rows are not. */
  async #rung(since: number, mostMs: number): Promise<void> {
    if (this.#changes !== since || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, mostMs);
      this.#waiting.add(wake);
    });
  }
}

/** The same key is the same account over HTTP, too. */
function accountOfKey(key: string): string {
  const bytes = createHash("sha256").update(`paird idempotency key of an account\0${key}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const BY_SQLSTATE: [RegExp, ErrorCode][] = [
  [/^53400$/, "limit"],
  [/^(08|53|57P|40)/, "unavailable"],
  [/^28/, "unauthorized"],
  [/^42501$/, "forbidden"],
  [/^23505$/, "conflict"],
  [/^(22|23|3D)/, "invalid"],
];

function errorOf(error: unknown): PairdError {
  if (error instanceof PairdError) return error;
  if (error instanceof pg.DatabaseError) {
    const sqlState = error.code ?? "";
    const code = BY_SQLSTATE.find(([states]) => states.test(sqlState))?.[1] ?? "server";
    // The name of a limit is a sentence that says what it is.
    const words = sqlState === "23514" && error.constraint ? error.constraint.replaceAll("_", " ") : error.message;
    return new PairdError(code, words, { sqlState });
  }
  // Where a host has several addresses, the error of all of them has a code and no words.
  const system = error instanceof Error && "code" in error ? String(error.code) : "";
  const words = (error instanceof Error && error.message) || system || String(error);
  const isOfTheConnection = /^E[A-Z_]+$/.test(system) || /^(Connection terminated|Client|Query read timeout|timeout exp)/.test(words);
  return new PairdError(isOfTheConnection ? "unavailable" : "server", `the database: ${words}`, { cause: error });
}
