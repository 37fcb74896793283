// A typed client of paird: one interface, over SQL or over HTTP.
import { Client } from "./client.js";
import { HttpTransport, type HttpOptions } from "./http.js";
import { SqlTransport, type SqlConfig, type SqlOptions } from "./sql.js";

/** Over Postgres, as a login in the role `paird_web`. The connection is made with the first call, and again after each loss. */
export function connectSql(config: string | SqlConfig, options: SqlOptions = {}): Client {
  return new Client(new SqlTransport(config, options));
}

/** Over the daemon's HTTP API, with the console's token. */
export function connectHttp(url: string, token: string, options: HttpOptions = {}): Client {
  return new Client(new HttpTransport(url, token, options));
}

export { Client } from "./client.js";
export type { CreateOptions, FollowOptions, PairEnd, PairOptions, PairStep, SendOptions, WithKey } from "./client.js";
export { PairdError, type ErrorCode } from "./errors.js";
export type { HttpOptions } from "./http.js";
export { fileOffsets, type Offsets } from "./offsets.js";
export type { SqlConfig, SqlOptions } from "./sql.js";
export type * from "./schema.js";
