// One connection that reconnects: events wake waiting callers, and so does its loss.
import pg from "pg";

const RETRY_MS = { first: 100, most: 5_000 };

export class Database {
  #config;
  #client = null;
  #woken = deferred();
  #channel = null;

  constructor(connectionString = process.env.DATABASE_URL) {
    if (!connectionString) throw new Error("DATABASE_URL is not set");
    this.#config = { connectionString, application_name: "paird-consumer", keepAlive: true };
  }

  /** From now on a notification wakes `rung`, also over connections that are made later. */
  async listen(channel) {
    this.#channel = pg.escapeIdentifier(channel);
    if (this.#client) await this.#client.query(`LISTEN ${this.#channel}`);
  }

  /** Waits for a notification, at most so long: one may be lost, the rows are not. */
  async rung(mostMs) {
    let timer;
    const timeout = new Promise((resolve) => (timer = setTimeout(resolve, mostMs)));
    await Promise.race([this.#woken.promise, timeout]);
    clearTimeout(timer);
    this.#woken = deferred();
  }

  async query(sql, values) {
    return (await this.#connected()).query(sql, values);
  }

  /** All of `work` or nothing of it. */
  async transaction(work) {
    const client = await this.#connected();
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch(() => this.#lose(client));
      throw error;
    }
  }

  /** Does `work` again until the database was there for all of it. */
  async patiently(work) {
    for (let wait = RETRY_MS.first; ; wait = Math.min(wait * 2, RETRY_MS.most)) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        console.error(`waiting for the database: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  async end() {
    await this.#client?.end();
  }

  async #connected() {
    if (this.#client) return this.#client;
    const client = new pg.Client(this.#config);
    client.on("error", () => this.#lose(client));
    client.on("end", () => this.#lose(client));
    client.on("notification", () => this.#woken.resolve());
    await client.connect();
    if (this.#channel) await client.query(`LISTEN ${this.#channel}`);
    this.#client = client;
    // Events from before LISTEN are in the rows.
    this.#woken.resolve();
    return client;
  }

  #lose(client) {
    if (this.#client === client) this.#client = null;
    client.end().catch(() => {});
    this.#woken.resolve();
  }
}

/** A lost connection, or a server that starts, stops or is full; not a mistake of ours. */
function isPassing(error) {
  if (error instanceof pg.DatabaseError) return /^(08|53|57P|40)/.test(error.code);
  return error.syscall !== undefined || /^Connection terminated|^Client/.test(error.message);
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
