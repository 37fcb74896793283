//! The demo's steps on an account. Each waits for a condition, with a deadline.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use paird_actors::domain::{MessageDirection, MessageState, OperatorId};
use paird_sandbox::LinkedDevice;
use paird_sql::client::Params as _;
use paird_sql::queries::cli::{self, AccountEvent, Pairing};
use paird_sql::queries::reading::{list_last_messages, list_messages};
use paird_sql::queries::sending::{QueueMessageParams, queue_message};
use paird_sql::queries::settings::{SetPaceParams, set_pace};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::phones::Phones;
use crate::cli::database::{Database, explained};
use crate::cli::pair::is_terminal;
use crate::console::Message;

/// Deadline for steps that should take well under a second.
const DEADLINE: Duration = Duration::from_secs(30);

/// The demo's hold on the daemon (rows, commands, events) and on the phones.
pub(super) struct DemoDriver {
    database: Database,
    pub(super) phones: Phones,
}

/// An account of the demo.
pub(super) struct DemoAccount {
    pub(super) id: Uuid,
    pub(super) label: &'static str,
}

/// The outcome of a scan, with timings.
pub(super) struct Scanned {
    pub(super) event: AccountEvent,
    pub(super) until_qr: Duration,
    pub(super) after_scan: Duration,
}

impl DemoDriver {
    pub(super) fn new(database: Database, phones: Phones) -> Self {
        Self { database, phones }
    }

    /// After the daemon, and its Postgres with it, has ended and started again.
    pub(super) fn reconnect(&mut self, database: Database) {
        self.database = database;
    }

    pub(super) async fn add(&self, label: &'static str) -> anyhow::Result<DemoAccount> {
        let added = cli::insert_account()
            .bind(&self.database.client, &OperatorId::DEFAULT.0, &label, &None::<&str>)
            .one()
            .await;
        Ok(DemoAccount { id: added.map_err(explained)?, label })
    }

    /// `account.pair`, a scan of the picture on the row, and the attempt's one end.
    pub(super) async fn pair_with(&self, account: &DemoAccount, number: &str) -> anyhow::Result<Scanned> {
        let before = self.row(account).await?.event_seq;
        let asked = Instant::now();
        self.database.send("account.pair", account.id, &json!({})).await?;
        let (scanned_at, until_qr) = self.scan(account, number, before, asked).await?;
        let event = self.event_after(account, before, is_terminal).await?;
        Ok(Scanned { event, until_qr, after_scan: scanned_at.elapsed() })
    }

    /// A QR may be replaced between the look and the scan: then the next one does.
    async fn scan(
        &self,
        account: &DemoAccount,
        number: &str,
        before: i64,
        asked: Instant,
    ) -> anyhow::Result<(Instant, Duration)> {
        let mut until_qr = None;
        let mut last_refusal = None;
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(ended) = self.events(account, before).await?.iter().find(|event| is_terminal(&event.kind)) {
                bail!("{:?}: the attempt ended before the scan: {} {}", account.label, ended.kind, ended.payload);
            }
            if let Some(png) = self.row(account).await?.last_qr_png {
                let until_qr = *until_qr.get_or_insert_with(|| asked.elapsed());
                let scanned_at = Instant::now();
                match self.phones.scan(number, png).await {
                    Ok(()) => return Ok((scanned_at, until_qr)),
                    Err(refused) => last_refusal = Some(refused),
                }
            }
            self.database.until_notified().await;
        }
        match last_refusal {
            Some(refused) => Err(refused.context(format!("{:?}: no scan was taken", account.label))),
            None => bail!("{:?}: no QR on the row within {} s", account.label, DEADLINE.as_secs()),
        }
    }

    /// Sends a command, and waits until it is done.
    pub(super) async fn ask(&self, kind: &str, account: &DemoAccount, args: Value) -> anyhow::Result<String> {
        let done = tokio::time::timeout(DEADLINE, self.database.ask(kind, account.id, &args)).await;
        let (_, result) = done
            .with_context(|| format!("{kind} of {:?} was not done in time", account.label))?
            .with_context(|| format!("{kind} of {:?}", account.label))?;
        Ok(result)
    }

    pub(super) async fn row(&self, account: &DemoAccount) -> anyhow::Result<Pairing> {
        cli::get_pairing().bind(&self.database.client, &account.id).one().await.map_err(explained)
    }

    pub(super) async fn is_listed(&self, account: &DemoAccount) -> anyhow::Result<bool> {
        Ok(self.database.accounts().await?.iter().any(|listed| listed.id == account.id))
    }

    async fn events(&self, account: &DemoAccount, after: i64) -> anyhow::Result<Vec<AccountEvent>> {
        cli::list_events_of_account().bind(&self.database.client, &account.id, &after).all().await.map_err(explained)
    }

    /// How many events after `seq` report a message.
    pub(super) async fn message_events(&self, account: &DemoAccount, after: i64) -> anyhow::Result<usize> {
        let events = self.events(account, after).await?;
        Ok(events.iter().filter(|event| event.kind.starts_with("message.")).count())
    }

    /// The first event after `seq` of a kind that is wanted.
    pub(super) async fn event_after(
        &self,
        account: &DemoAccount,
        seq: i64,
        is_wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<AccountEvent> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let mut events = self.events(account, seq).await?;
            if let Some(at) = events.iter().position(|event| is_wanted(&event.kind)) {
                return Ok(events.swap_remove(at));
            }
            if Instant::now() > deadline {
                let seen: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
                bail!("{:?}: the awaited event did not come; there were {seen:?}", account.label);
            }
            self.database.until_notified().await;
        }
    }

    pub(super) async fn event_of_kind(
        &self,
        account: &DemoAccount,
        seq: i64,
        kind: &str,
    ) -> anyhow::Result<AccountEvent> {
        let found = self.event_after(account, seq, |found| found == kind).await;
        found.with_context(|| format!("waiting for {kind}"))
    }

    /// Waits until the account has the status.
    pub(super) async fn status(&self, account: &DemoAccount, wanted: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let row = self.row(account).await?;
            if row.status == wanted {
                return Ok(());
            }
            let (label, status, reason) = (account.label, row.status, row.status_reason);
            ensure!(Instant::now() < deadline, "{label:?} should be {wanted}, but is {status} ({reason})");
            self.database.until_notified().await;
        }
    }

    /// The account's messages after one, as soon as there are so many.
    pub(super) async fn messages(
        &self,
        account: &DemoAccount,
        after: i64,
        count: usize,
    ) -> anyhow::Result<Vec<Message>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let rows = list_messages().bind(&self.database.client, &account.id, &after, &100).all().await;
            let rows = rows.map_err(explained)?;
            if rows.len() >= count {
                return Ok(rows.into_iter().map(Message::from).collect());
            }
            ensure!(
                Instant::now() < deadline,
                "{:?} should have {count} messages, but has {}",
                account.label,
                rows.len()
            );
            self.database.until_notified().await;
        }
    }

    /// No pauses between messages.
    pub(super) async fn hurry(&self, account: &DemoAccount) -> anyhow::Result<()> {
        let pace = SetPaceParams {
            send_rate: 100.0,
            send_burst: 100,
            new_chats_per_day: None,
            source: "cli",
            account_id: account.id,
        };
        set_pace().params(&self.database.client, &pace).one().await.map_err(explained)?;
        Ok(())
    }

    /// Queues a text.
    pub(super) async fn text(&self, account: &DemoAccount, to: &str, text: &str) -> anyhow::Result<()> {
        let content = json!({ "to": to, "type": "text", "text": { "body": text } });
        let row = QueueMessageParams {
            account: account.id,
            content: &content,
            key: Some(text),
            not_before: None,
            expires_at: None,
            source: "cli",
        };
        queue_message().params(&self.database.client, &row).one().await.map_err(explained)?;
        Ok(())
    }

    /// Waits until so many of the account's messages have reached a state that is wanted.
    pub(super) async fn sent(
        &self,
        account: &DemoAccount,
        count: usize,
        is_wanted: impl Fn(MessageState) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let last = list_last_messages().bind(&self.database.client, &account.id, &i64::MAX, &0, &100).all().await;
            let out: Vec<String> = last
                .map_err(explained)?
                .into_iter()
                .filter(|row| row.direction == MessageDirection::Out.as_str())
                .map(|row| row.state)
                .collect();
            if out.iter().filter(|state| MessageState::parse(state).is_some_and(&is_wanted)).count() >= count {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{count} messages of {:?} should be further than {out:?}",
                account.label
            );
            self.database.until_notified().await;
        }
    }

    /// Waits until a phone shows what it should.
    pub(super) async fn shown(
        &self,
        number: &str,
        is_right: impl Fn(&[String]) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let shown = self.phones.shown(number).await?;
            if is_right(&shown) {
                return Ok(shown);
            }
            ensure!(Instant::now() < deadline, "phone +{number} shows {shown:?}");
            self.database.until_notified().await;
        }
    }

    /// Waits until what WhatsApp keeps for the phone's linked devices is as it should be.
    pub(super) async fn queue(
        &self,
        number: &str,
        wanted: &str,
        is_right: impl Fn((usize, bool)) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while !is_right(self.phones.queue(number).await?) {
            ensure!(Instant::now() < deadline, "the queue of phone +{number} should have {wanted}");
            self.database.until_notified().await;
        }
        Ok(())
    }

    /// Waits until the phone's list of linked devices is as it should be.
    pub(super) async fn devices(
        &self,
        number: &str,
        wanted: &str,
        is_right: impl Fn(&[LinkedDevice]) -> bool,
    ) -> anyhow::Result<Vec<LinkedDevice>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let devices = self.phones.devices(number).await?;
            if is_right(&devices) {
                return Ok(devices);
            }
            let jids: Vec<&str> = devices.iter().map(|device| device.jid.as_str()).collect();
            ensure!(Instant::now() < deadline, "phone +{number} should list {wanted}, but lists {jids:?}");
            self.database.until_notified().await;
        }
    }
}
