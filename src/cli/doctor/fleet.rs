//! Accounts, leftovers, queues.

use paird_actors::domain::StatusReason;
use paird_sql::queries::{cli, doctor as sql};

use super::Finding;
use crate::cli::database::{Database, explained};

/// A command waits for a connection, a ticket for its turn; longer than this is odd.
const LONG_SECS: f64 = 120.0;
/// The outbox sends at once, and looks anyway after seconds.
const UNSENT_SECS: f64 = 15.0;
const UNREAD_SECS: f64 = 24.0 * 3600.0;

pub(super) async fn accounts(database: &Database) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let free = sql::count_accounts_without_daemon().bind(&database.client).one().await.map_err(explained)?;
    let daemons = cli::count_daemons().bind(&database.client).one().await.map_err(explained)?;
    if free > 0 && daemons.live > 0 && daemons.taking == 0 {
        let advice = "paird drain --undo, or start another daemon";
        let found = format!("{free} wait for a daemon that is not drained");
        findings.push(Finding::warn("accounts", found, advice));
    } else if free > 0 {
        let advice = "start paird serve; if one runs, wait for its next look (15 s) and read its log";
        findings.push(Finding::fail("accounts", format!("{free} should run, and no daemon has them"), advice));
    }
    let overdue = sql::list_overdue_attempts().bind(&database.client, &LONG_SECS).all().await.map_err(explained)?;
    for attempt in overdue {
        let found = format!("{}: still pending after its deadline", attempt.label);
        findings.push(Finding::fail("accounts", found, "paird sweep"));
    }
    for held in sql::list_held_accounts().bind(&database.client).all().await.map_err(explained)? {
        let advice = StatusReason::parse(&held.status_reason).advice();
        let advice = advice.unwrap_or("look at the account's events: paird events LABEL");
        findings.push(Finding::warn("accounts", format!("{}: held, {}", held.label, held.status_reason), advice));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("accounts", "none is held, overdue or without a daemon"));
    }
    Ok(findings)
}

pub(super) async fn orphans(database: &Database) -> anyhow::Result<Vec<Finding>> {
    let found = sql::count_orphans().bind(&database.client, &LONG_SECS).one().await.map_err(explained)?;
    let mut findings = Vec::new();
    let report = "this is a bug: please report it, with paird audit and the daemon's log";
    if found.keyrings > 0 {
        findings.push(Finding::warn(
            "orphans",
            format!("{} keyrings of no account and no ticket", found.keyrings),
            "a daemon shreds them within an hour or two; at once: paird prune",
        ));
    }
    if found.credentials > 0 {
        let text = format!("{} records filed under another account than their keyring", found.credentials);
        findings.push(Finding::fail("orphans", text, report));
    }
    if found.accounts > 0 {
        let text = format!("{} accounts whose keys are gone", found.accounts);
        findings.push(Finding::fail(
            "orphans",
            text,
            "pair those accounts again; the row was restored without its keys",
        ));
    }
    for ticket in sql::list_tickets().bind(&database.client).all().await.map_err(explained)? {
        let last = ticket.last_error.unwrap_or_else(|| "not tried yet".to_owned());
        if ticket.attempts > 2 {
            let text =
                format!("{}: its device is still on the phone after {} tries ({last})", ticket.label, ticket.attempts);
            let until = ticket.abandon_at.to_utc().format("%Y-%m-%d");
            let advice =
                format!("paird goes on until {until}; to be quicker, remove it on the phone under Linked devices");
            findings.push(Finding::warn("tickets", text, advice));
        }
    }
    if found.tickets > 0 {
        let text = format!("{} unlink tickets that no daemon works on", found.tickets);
        findings.push(Finding::fail("tickets", text, "start paird serve; if one runs, read its log"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("orphans", "no keys, records or tickets are left over"));
    }
    Ok(findings)
}

pub(super) async fn queues(database: &Database) -> anyhow::Result<Vec<Finding>> {
    let waiting = sql::count_waiting().bind(&database.client).one().await.map_err(explained)?;
    let (commands, events) = (waiting.commands_secs.unwrap_or(0.0), waiting.events_secs.unwrap_or(0.0));
    let found = format!("{} wait, the oldest for {commands:.0} s", waiting.commands);
    Ok(vec![
        match waiting.commands {
            0 => Finding::ok("commands", "none waits"),
            _ if commands > LONG_SECS => Finding::warn(
                "commands",
                found,
                "start paird serve; if one is running, paird inspect --all shows what it is doing",
            ),
            _ => Finding::ok("commands", found),
        },
        match waiting.events {
            0 => Finding::ok("events", "all are sent"),
            unsent if events > UNSENT_SECS => Finding::warn(
                "events",
                format!("{unsent} are not sent, the oldest for {events:.0} s"),
                "start paird serve, which sends them; consumers can read the rows meanwhile",
            ),
            unsent => Finding::ok("events", format!("{unsent} are being sent")),
        },
        match waiting.messages {
            0 => Finding::ok("messages", "all can be read"),
            unread if waiting.messages_secs.unwrap_or(0.0) > UNREAD_SECS => Finding::warn(
                "messages",
                format!("{unread} cannot be read yet, some for more than a day"),
                "open WhatsApp on the phones of their accounts, which are asked for them at the next login; the rows are \
                 those of messages with state waiting",
            ),
            unread => Finding::ok("messages", format!("{unread} cannot be read yet; their phones are asked for them")),
        },
    ])
}

pub(super) async fn consumers(database: &Database) -> anyhow::Result<Vec<Finding>> {
    let silent = sql::list_silent_consumers().bind(&database.client).all().await.map_err(explained)?;
    if silent.is_empty() {
        return Ok(vec![Finding::ok("consumers", "of those that note how far they have read, none is silent")]);
    }
    let told = silent.into_iter().map(|one| {
        let (name, last) = (one.consumer, one.heard_at.to_utc().format("%Y-%m-%d"));
        Finding::warn(
            "consumers",
            format!("{name}: silent since {last}; events that it has not read are pruned with the others"),
            "let it note again how far it has read, or delete its rows in event_consumers",
        )
    });
    Ok(told.collect())
}
