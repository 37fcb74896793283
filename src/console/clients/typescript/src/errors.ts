import type { Message } from "./schema.js";

export type ErrorCode =
  /** An argument is wrong; the message names it. */
  | "invalid"
  /** The token, or the database's user or password, is wrong. */
  | "unauthorized"
  /** The login may not do this. */
  | "forbidden"
  | "not_found"
  /** Several accounts have this label: use the id. */
  | "ambiguous"
  /** The key is that of something else. */
  | "conflict"
  /** Too many: of messages that wait, or of live streams. */
  | "limit"
  /** paird has refused the command, or could not carry it out. */
  | "command_failed"
  /** The message ended without being sent; `sentMessage` has it. */
  | "not_sent"
  /** Not yet: what was asked for is still under way, and goes on. */
  | "timeout"
  /** Neither database nor daemon answered in time. Call again, with the same key. */
  | "unavailable"
  /** The server made a mistake. */
  | "server"
  | "closed";

/** Everything that this package throws. The message is what the server says. */
export class PairdError extends Error {
  override readonly name = "PairdError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The HTTP status or the SQLSTATE, and the message that was not sent. */
    readonly details: { status?: number; sqlState?: string; sentMessage?: Message; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
  }

  get sentMessage(): Message | undefined {
    return this.details.sentMessage;
  }
}
