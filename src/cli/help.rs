//! Longer texts of the help.

use clap::builder::StyledStr;

use super::exit;

pub(super) const SETTINGS: &str = "\
Settings, from the environment or paird.toml (same names; the environment wins):
  DATABASE_URL              Postgres to use; absent: an embedded one in the data directory
  PAIRD_LISTEN_URL          the same Postgres past a transaction-mode pooler, for LISTEN and locks
  PAIRD_CONSOLE_DATABASE_URL  the same Postgres for the console and these commands, as a login in paird_console
  PAIRD_DATA_DIR            default $XDG_DATA_HOME/paird, else ~/.local/share/paird
  PAIRD_CONFIG              settings file; default ./paird.toml, else <data dir>/paird.toml
  PAIRD_MASTER_KEY_FILE     default <data dir>/master.key
  PAIRD_COMMAND_CHANNEL     default paird_command
  PAIRD_EVENT_CHANNEL       default paird_event
  PAIRD_NOTIFY_COMMANDS     bare NOTIFYs as commands: verified (default), open or off
  PAIRD_EVENT_PAYLOAD       what notifications of events tell: full (default) or wake
  PAIRD_PAIR_TIMEOUT        how long a pair attempt may take; default 5m
  PAIRD_PENDING_MAX_AGE     an older pending account is parked at start; default 1h
  PAIRD_REFUSE              before-link (default) or after-link
  PAIRD_CONSOLE_ADDR        loopback address of the console, or off; default 127.0.0.1:8088
  PAIRD_CONSOLE_TOKEN_FILE  default <data dir>/console.token
  PAIRD_PROBE_ADDR          any address, for probes and metrics alone, without a token; default off
  PAIRD_DEVICE_NAME         name under Linked devices; default paird
  PAIRD_LOG                 default info; for example info,paird::postgres=debug
  PAIRD_LOG_FORMAT          text (default) or json
  PAIRD_POSTGRES_BIN        directory of initdb and postgres
  PAIRD_CONNECT_RATE        connections to WhatsApp a second, after a burst; 0: no limit; default 20
  PAIRD_PROXY_ALLOW         networks that proxies may be in, such as 10.0.0.0/8; default: not this machine
  PAIRD_LEASE_TTL           a silent daemon's accounts are taken over after this; default 20s
  PAIRD_KEEP_EVENTS         how long events and deleted accounts are kept; default 30d
  PAIRD_KEEP_COMMANDS       the same for commands that have ended; default 30d
  PAIRD_KEEP_AUDIT          the same for the audit log; default forever
  PAIRD_WHATSAPP_URL        sandbox builds only: the sandbox's ws:// address";

pub(super) const PASSKEY: &str = "\
Without --response and --confirm it prints what WhatsApp asks: the options for the browser's
navigator.credentials.get(). Answer with the credential that it returns, as JSON:
  paird passkey \"front desk\" --response answer.json
  … | paird passkey \"front desk\" --response -";

pub(super) const COMPLETIONS: &str = "\
For example:
  bash  paird completions bash > ~/.local/share/bash-completion/completions/paird
  zsh   paird completions zsh > \"${fpath[1]}/_paird\"
  fish  paird completions fish > ~/.config/fish/completions/paird.fish";

/// Below the list of commands: how to begin, and where the rest is told.
pub(super) const BEGIN: &str = "\
To begin:
  paird serve                         in one terminal, or as a system service
  paird accounts add \"front desk\"     in another
  paird pair \"front desk\"             draws the QR that the phone scans
  paird watch                         the whole fleet, live
  paird doctor                        when something is odd

`paird help serve` lists the settings, `paird help exit-codes` the exit codes. With --json, stdout is
one JSON document, or one a line for pair, events --follow and watch; errors are JSON on stderr.";

pub(super) fn exit_codes() -> StyledStr {
    exit::table().into()
}
