//! Every setting, once: its name, what it is when it is not set, and what people are told of it.
//! From here come the names that are accepted, the help of `paird serve` and the table in
//! .deploy/README.md.

use std::fmt::Write as _;

/// What is said of a setting.
pub(super) struct Setting {
    /// In the environment, and at the top level of `paird.toml`.
    pub name: &'static str,
    pub unset: Unset,
    /// One line for the terminal.
    help: &'static str,
    /// What the table says, in Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that writes the table"))]
    about: &'static str,
}

/// What a setting is while nobody sets it.
#[derive(Clone, Copy)]
pub(super) enum Unset {
    /// This text, which is read like one that is given.
    Reads(&'static str),
    /// Something that no text stands for; in Markdown.
    Means(&'static str),
    Nothing,
}

use Unset::{Means, Nothing, Reads};

macro_rules! settings {
    ($($constant:ident: $name:literal, $unset:expr, $help:literal, $about:literal;)*) => {
        $(pub(super) const $constant: Setting =
            Setting { name: $name, unset: $unset, help: $help, about: $about };)*

        /// In the order in which people read them. Made from the values and not from the constants,
        /// so that the compiler complains of a constant that nothing reads.
        pub(super) const ALL: &[Setting] =
            &[$(Setting { name: $name, unset: $unset, help: $help, about: $about }),*];
    };
}

settings! {
    DATABASE_URL: "DATABASE_URL", Means("an embedded Postgres in the data directory"),
        "Postgres to use",
        "TLS as `sslmode` says; for a host elsewhere give it `sslmode=verify-full&channel_binding=require`, as nothing \
         else checks that it is the database, and paird and `paird doctor` warn. `sslrootcert`, `sslcrl`, `sslcert` and \
         `sslkey` name files as for libpq";
    LISTEN_URL: "PAIRD_LISTEN_URL", Nothing,
        "the same Postgres past a transaction-mode pooler, for LISTEN and locks",
        "the same database past a pooler in transaction mode, for LISTEN and locks; see [Poolers](#poolers)";
    CONSOLE_DATABASE_URL: "PAIRD_CONSOLE_DATABASE_URL", Means("`DATABASE_URL`"),
        "the same Postgres for the console and these commands, as a login in paird_console",
        "the same database for the console, the HTTP API and people's commands, as a login in `paird_console`; see \
         [Least rights](#least-rights)";
    CONFIG: "PAIRD_CONFIG", Means("`paird.toml` of the working directory, else `<data dir>/paird.toml`"),
        "settings file",
        "another settings file; environment only";
    DATA_DIR: "PAIRD_DATA_DIR", Means("`$XDG_DATA_HOME/paird`, else `~/.local/share/paird`"),
        "embedded cluster, key and token files",
        "embedded cluster, key and token files. Root does not run Postgres itself, but as `postgres`: best in a \
         directory that this user can get to, such as `/var/lib/paird`, or the server keeps the capability to pass \
         closed ones";
    MASTER_KEY_FILE: "PAIRD_MASTER_KEY_FILE", Means("`<data dir>/master.key`"),
        "the key that seals the accounts' keys",
        "made (0600) while nothing is sealed yet; once something is, paird does not start without it";
    COMMAND_CHANNEL: "PAIRD_COMMAND_CHANNEL", Reads("paird_command"),
        "channel on which commands are notified",
        "the channel of commands, in the [SQL interface](../sql/README.md)";
    EVENT_CHANNEL: "PAIRD_EVENT_CHANNEL", Reads("paird_event"),
        "channel on which events are notified",
        "the channel of events";
    NOTIFY_COMMANDS: "PAIRD_NOTIFY_COMMANDS", Reads("verified"),
        "bare NOTIFYs as commands: verified, open or off",
        "whose bare NOTIFYs are commands: of senders who may execute `send_command`; or `open`: of everybody who can \
         connect to the database; or `off`";
    EVENT_PAYLOAD: "PAIRD_EVENT_PAYLOAD", Reads("full"),
        "what notifications of events tell: full or wake",
        "or `wake`: the notification of an event tells its type, account, id and seq alone. Everybody who can connect \
         to the database hears notifications";
    PAIR_TIMEOUT: "PAIRD_PAIR_TIMEOUT", Reads("5m"),
        "how long a pair attempt may take",
        "an attempt's deadline";
    PENDING_MAX_AGE: "PAIRD_PENDING_MAX_AGE", Reads("1h"),
        "an older pending account is parked at start",
        "an older `pending` row is parked by the daemon that takes the account over";
    REFUSE: "PAIRD_REFUSE", Reads("before-link"),
        "before-link or after-link",
        "or `after-link`: how a phone that must not be linked is refused";
    RESEND: "PAIRD_RESEND", Reads("always"),
        "always or never: messages whose arrival is not known",
        "or `never`: a message fails (`no_ack`) instead of being sent again under its id, if the connection was lost \
         before WhatsApp acknowledged it; it may have arrived all the same";
    UNLINK_TIMEOUT: "PAIRD_UNLINK_TIMEOUT", Reads("45s"),
        "how long WhatsApp's answer to the removal of a device may take",
        "how long WhatsApp's answer to the removal of a device may take, before it is asked again";
    DEVICE_NAME: "PAIRD_DEVICE_NAME", Reads("paird"),
        "name under Linked devices",
        "the name under \"Linked devices\", where the account has none of its own";
    CONNECT_RATE: "PAIRD_CONNECT_RATE", Reads("20"),
        "connections to WhatsApp a second, after a burst; 0: no limit",
        "connections a second that a daemon opens (burst 50) at boot, takeover and mass reconnects; `0` is no limit. \
         An operator's pairing goes first, but a third is left to logins that wait, and an account gets one pairing \
         connection a second";
    PROXY_ALLOW: "PAIRD_PROXY_ALLOW", Reads("usual"),
        "networks that proxies may be in, such as 10.0.0.0/8; usual: not this machine",
        "where accounts' proxies may be: networks and addresses, with commas between them. `usual` is everywhere but \
         loopback, link-local, multicast and the addresses at which clouds tell a machine its secrets. The address \
         that is dialled decides, not the name";
    GROUPS_REFRESH: "PAIRD_GROUPS_REFRESH", Reads("6h"),
        "how often an account's groups are fetched again",
        "how often an account's groups are fetched again while WhatsApp reports no change: `5s` to `30d`, jittered by a \
         quarter";
    LEASE_TTL: "PAIRD_LEASE_TTL", Reads("20s"),
        "a silent daemon's accounts are taken over after this",
        "how long a dead daemon keeps its accounts. It renews at a quarter of it, and closes its own sockets at three \
         fifths";
    KEEP_EVENTS: "PAIRD_KEEP_EVENTS", Reads("30d"),
        "how long events, messages and deleted accounts are kept",
        "how long events, messages and deleted accounts are kept: at least a day";
    KEEP_COMMANDS: "PAIRD_KEEP_COMMANDS", Reads("30d"),
        "the same for commands that have ended",
        "how long ended commands are kept: at least a day";
    KEEP_BODIES: "PAIRD_KEEP_BODIES", Reads("7d"),
        "how long the contents of messages are kept, at most 30d",
        "how long the contents of messages are kept: at least a day, then until every consumer has read the event, but \
         at most 30 days";
    KEEP_AUDIT: "PAIRD_KEEP_AUDIT", Reads("forever"),
        "the same for the audit log",
        "or how long: at least a day";
    LOG: "PAIRD_LOG", Reads("info"),
        "what is logged, for example info,paird::postgres=debug",
        "filter directives such as `info,paird::postgres=debug`";
    LOG_FORMAT: "PAIRD_LOG_FORMAT", Reads("text"),
        "text or json",
        "or `json`: one object a line";
    POSTGRES_BIN: "PAIRD_POSTGRES_BIN", Means("searched for"),
        "directory of initdb and postgres",
        "the directory of `initdb` and `postgres`";
    CONSOLE_ADDR: "PAIRD_CONSOLE_ADDR", Reads("127.0.0.1:8088"),
        "loopback address of the console, or off",
        "loopback only; port 0 picks one, and `<data dir>/console.addr` says which; `off`";
    CONSOLE_TOKEN_FILE: "PAIRD_CONSOLE_TOKEN_FILE", Means("`<data dir>/console.token`"),
        "what the console and the API ask for",
        "one word of at least 24 characters; made (0600, 256 random bits) if it does not exist";
    CONSOLE_MESSAGES: "PAIRD_CONSOLE_MESSAGES", Reads("send"),
        "send, or read: nobody sends messages from the console's pages",
        "or `read`: a session of the browser reads messages, and neither sends nor cancels any. The token may, as before";
    PROBE_ADDR: "PAIRD_PROBE_ADDR", Reads("off"),
        "any address, for probes and metrics alone, without a token",
        "an address and port, on loopback or not, for `/healthz`, `/readyz` and `/metrics` alone, without a token; \
         `<data dir>/probe.addr` says which port it has";
    LINK_ADDR: "PAIRD_LINK_ADDR", Reads("off"),
        "any address, for the page of pairing links alone",
        "an address and port, on loopback or not, for the page of [pairing links](#pairing-links) alone; \
         `<data dir>/link.addr` says which port it has";
    LINK_URL: "PAIRD_LINK_URL", Means("`http://` and `PAIRD_LINK_ADDR`, if that is on loopback"),
        "what pairing links begin with: https://HOST, as phones get there",
        "what pairing links begin with: `https://HOST` and perhaps a port, the address at which a phone reaches \
         `PAIRD_LINK_ADDR` through a reverse proxy; `http://` on loopback only";
    LINK_PROXIES: "PAIRD_LINK_PROXIES", Reads("127.0.0.0/8,::1"),
        "reverse proxies of pairing links, whose X-Forwarded-For counts",
        "where the reverse proxies of pairing links are: networks and addresses, with commas between them. Their \
         `X-Forwarded-For` says which visitor a limit is for; nobody else's counts";
    WHATSAPP_URL: "PAIRD_WHATSAPP_URL", Nothing,
        "sandbox builds only: the sandbox's ws:// address",
        "sandbox builds only, loopback only; a production build that finds it set does not start";
}

pub(super) fn is_known(name: &str) -> bool {
    ALL.iter().any(|setting| setting.name == name)
}

/// The settings as the terminal shows them, a line each.
pub fn help() -> String {
    let mut text = "Settings, from the environment or paird.toml (same names; the environment wins):".to_owned();
    for Setting { name, unset, help, .. } in ALL {
        let default = match unset {
            Reads(text) | Means(text) => format!("; default: {}", text.replace('`', "")),
            Nothing => String::new(),
        };
        let _ = write!(text, "\n  {name:<28}{help}{default}");
    }
    text
}

/// The channels on which paird listens and notifies, unless they are set otherwise.
pub(crate) struct UsualChannels {
    pub commands: &'static str,
    pub events: &'static str,
}

pub(crate) fn usual_channels() -> UsualChannels {
    let usual = |setting: &Setting| match setting.unset {
        Reads(text) | Means(text) => text,
        Nothing => "",
    };
    UsualChannels { commands: usual(&COMMAND_CHANNEL), events: usual(&EVENT_CHANNEL) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use paird_scan::{check_tables, code, table};

    use super::*;

    #[test]
    fn the_table_of_settings_is_what_the_code_reads() {
        let rows = ALL.iter().map(|setting| {
            let unset = match setting.unset {
                Reads(text) => code(text),
                Means(text) => text.to_owned(),
                Nothing => String::new(),
            };
            [code(setting.name), unset, setting.about.to_owned()]
        });
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join(".deploy/README.md");
        let settings = table(["setting", "default", ""], rows);
        check_tables(&document, &[("settings", settings)], "cargo test -p paird --lib the_table_of_settings");
    }
}
