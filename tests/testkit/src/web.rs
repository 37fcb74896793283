use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio_postgres::{AsyncMessage, Client, NoTls, types::ToSql};
use uuid::Uuid;

use super::{Phones, until};

/// A web app: sends commands, reads rows, hears notifications.
pub struct Web {
    pub sql: Client,
    dsn: String,
    heard: Arc<Mutex<Vec<Value>>>,
    secrets: Mutex<BTreeSet<String>>,
}

/// Each attempt ends in exactly one of these.
pub(super) const TERMINAL: [&str; 6] = [
    "session.connected",
    "session.duplicate",
    "session.wrong_phone",
    "session.timeout",
    "session.cancelled",
    "session.failed",
];

/// A row of `events`.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub seq: i64,
    pub kind: String,
    pub payload: Value,
}

impl Web {
    pub async fn connect(dsn: &str) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sql = listen(dsn, Arc::clone(&heard)).await;
        Self { sql, dsn: dsn.to_owned(), heard, secrets: Mutex::default() }
    }

    /// After the database was away.
    pub async fn reconnect(&mut self) {
        self.sql = listen(&self.dsn, Arc::clone(&self.heard)).await;
    }

    /// For a transaction of its own.
    pub async fn another_connection(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.dsn, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub async fn account(&self, label: &str) -> Uuid {
        self.account_of(Uuid::from_u128(1), label).await
    }

    pub async fn account_of(&self, operator: Uuid, label: &str) -> Uuid {
        let sql = "INSERT INTO whatsapp_accounts (operator_id, label) VALUES ($1, $2) RETURNING id";
        self.sql.query_one(sql, &[&operator, &label]).await.unwrap().get(0)
    }

    /// Labels may be what they could be before their size was limited: the daemon must bear it.
    pub async fn lift_the_limit_of_labels(&self) {
        let sql = "ALTER TABLE whatsapp_accounts DISABLE TRIGGER account_is_within_limits";
        self.sql.batch_execute(sql).await.unwrap();
    }

    pub async fn send(&self, kind: &str, account: Uuid, args: Value) -> i64 {
        let sql = "SELECT send_command($1, $2, $3)";
        self.sql.query_one(sql, &[&kind, &account, &args]).await.unwrap().get(0)
    }

    /// Sends, and waits for the end: `done` or `failed`, and the result.
    pub async fn ask(&self, kind: &str, account: Uuid, args: Value) -> (String, String) {
        let id = self.send(kind, account, args).await;
        self.outcome(id).await
    }

    pub async fn outcome(&self, command: i64) -> (String, String) {
        until(&format!("an end of command {command}"), || async {
            let sql = "SELECT state, result FROM commands WHERE id = $1 AND state IN ('done', 'failed')";
            let row = self.sql.query_opt(sql, &[&command]).await.unwrap()?;
            Some((row.get(0), row.get(1)))
        })
        .await
    }

    /// Asks, and insists that it is done.
    pub async fn does(&self, kind: &str, account: Uuid, args: Value) -> String {
        let (state, result) = self.ask(kind, account, args).await;
        assert_eq!(state, "done", "{kind}: {result}");
        result
    }

    pub async fn column<T: tokio_postgres::types::FromSqlOwned>(&self, account: Uuid, column: &str) -> T {
        let sql = format!("SELECT {column} FROM whatsapp_accounts WHERE id = $1");
        self.sql.query_one(&sql, &[&account]).await.unwrap().get(0)
    }

    pub async fn count(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
        self.sql.query_one(sql, params).await.unwrap().get(0)
    }

    pub async fn status(&self, account: Uuid) -> String {
        self.column(account, "status").await
    }

    pub async fn status_is(&self, account: Uuid, status: &str) {
        until(&format!("status {status}"), || async { (self.status(account).await == status).then_some(()) }).await;
    }

    /// The account's events so far, by `seq`, which is checked to have no gap.
    pub async fn events(&self, account: Uuid) -> Vec<Seen> {
        let sql = "SELECT seq, kind, payload FROM events WHERE account_id = $1 ORDER BY seq";
        let rows = self.sql.query(sql, &[&account]).await.unwrap();
        let events: Vec<_> =
            rows.iter().map(|row| Seen { seq: row.get(0), kind: row.get(1), payload: row.get(2) }).collect();
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "a gap in seq: {events:?}");
        events
    }

    pub async fn kinds(&self, account: Uuid) -> Vec<String> {
        self.events(account).await.into_iter().map(|event| event.kind).collect()
    }

    /// The ends of the account's attempts, in order: kind, and `reason` where it has one.
    pub async fn ends(&self, account: Uuid) -> Vec<String> {
        let events = self.events(account).await.into_iter().filter(|event| TERMINAL.contains(&event.kind.as_str()));
        let told = |event: Seen| match event.payload["reason"].as_str() {
            Some(reason) => format!("{} {reason}", event.kind),
            None => event.kind,
        };
        events.map(told).collect()
    }

    /// Nothing that a phone could still scan or type is on the row, and no deadline.
    pub async fn assert_no_attempt_is_on_the_row(&self, account: Uuid) {
        let names = "last_qr_png, last_qr_at, qr_expires_at, pair_code, pair_deadline, expect_phone, pair_phone";
        let set = format!(
            "ARRAY(SELECT key FROM jsonb_each(to_jsonb(whatsapp_accounts))
                   WHERE key = ANY ('{{{names}}}') AND value <> 'null')"
        );
        let left: Vec<String> = self.column(account, &set).await;
        assert_eq!(left, Vec::<String>::new());
    }

    /// As after a failed attempt: unpaired, no number, no keys, the row still there.
    pub async fn assert_unpaired(&self, account: Uuid, reason: &str) {
        assert_eq!(self.status(account).await, "unpaired");
        assert_eq!(self.column::<String>(account, "status_reason").await, reason);
        assert_eq!(self.column::<String>(account, "desired").await, "unpaired");
        assert_eq!(self.column::<Option<String>>(account, "phone_number").await, None);
        assert_eq!(self.column::<Option<String>>(account, "device_jid").await, None);
        self.assert_no_attempt_is_on_the_row(account).await;
    }

    pub async fn keyrings(&self, account: Uuid) -> i64 {
        self.count("SELECT count(*) FROM keyrings WHERE account_id = $1", &[&account]).await
    }

    /// Waits for the first event of this kind after `seq`.
    pub async fn event(&self, account: Uuid, kind: &str, after: i64) -> Seen {
        until(&format!("{kind} after {after}"), || async {
            self.events(account).await.into_iter().find(|event| event.kind == kind && event.seq > after)
        })
        .await
    }

    /// The last `seq` of the account.
    pub async fn seq(&self, account: Uuid) -> i64 {
        self.column(account, "event_seq").await
    }

    /// The account's notifications on the event channel, in order of arrival.
    pub fn heard(&self, account: Uuid) -> Vec<Value> {
        let account = account.to_string();
        self.heard.lock().unwrap().iter().filter(|event| event["accountId"] == account).cloned().collect()
    }

    /// Waits until a QR is on the row, and reads it as a phone would: from the picture.
    pub async fn qr(&self, account: Uuid) -> String {
        until("a QR on the row", || self.qr_now(account)).await
    }

    pub async fn qr_now(&self, account: Uuid) -> Option<String> {
        let png: Option<String> = self.column(account, "last_qr_png").await;
        let payload = decode(&png?);
        self.saw(&payload);
        Some(payload)
    }

    /// Waits until the query counts so many.
    pub async fn count_becomes(&self, sql: &str, wanted: i64) {
        until(sql, || async { (self.count(sql, &[]).await == wanted).then_some(()) }).await;
    }

    /// A QR that was seen: it and its parts may be in no log.
    pub fn saw(&self, payload: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.extend(payload.split([',', '#', '/']).filter(|part| part.len() > 20).map(str::to_owned));
        secrets.insert(payload.to_owned());
    }

    pub async fn code(&self, account: Uuid) -> String {
        until("a pair code on the row", || self.code_now(account)).await
    }

    pub async fn code_now(&self, account: Uuid) -> Option<String> {
        let code: Option<String> = self.column(account, "pair_code").await;
        self.secrets.lock().unwrap().extend(code.clone());
        code
    }

    /// Starts an attempt and scans until a scan is taken: a QR may change under the phone.
    pub async fn pair_with(&self, account: Uuid, number: &str, phones: &Phones) {
        self.does("account.pair", account, json!({})).await;
        self.scan(account, number, phones).await;
    }

    pub async fn scan(&self, account: Uuid, number: &str, phones: &Phones) {
        until("a scan that is taken", || async {
            let qr = self.qr_now(account).await?;
            phones.scan(number, &qr).await.ok()
        })
        .await;
    }

    /// unpaired → connected, with a phone that is added.
    pub async fn connect_account(&self, label: &str, number: &str, phones: &Phones) -> Uuid {
        phones.add(number).await;
        let account = self.account(label).await;
        self.pair_with(account, number, phones).await;
        self.status_is(account, "connected").await;
        account
    }

    /// The same, and the account has done all that follows its first login: others can write to it.
    pub async fn reachable_account(&self, label: &str, number: &str, phones: &Phones) -> Uuid {
        let account = self.connect_account(label, number, phones).await;
        self.event(account, "groups.synced", 0).await;
        phones.keys_told(number).await;
        account
    }

    /// A secret of the test's own.
    pub fn hush(&self, secret: &str) {
        self.secrets.lock().unwrap().insert(secret.to_owned());
    }

    pub fn secrets_seen(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap().clone()
    }

    /// Whole phone numbers that are or were on rows.
    pub async fn numbers(&self) -> Vec<String> {
        let sql = "SELECT DISTINCT unnest(ARRAY[phone_number, last_phone_number, expect_phone, pair_phone]) FROM whatsapp_accounts
                   UNION SELECT phone FROM contacts";
        let rows = self.sql.query(sql, &[]).await.unwrap();
        rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)).collect()
    }

    /// What messages say, where it is long enough to be nothing else.
    pub async fn said(&self) -> Vec<String> {
        let sql = "SELECT DISTINCT body FROM message_bodies, LATERAL (SELECT content #>> '{text,body}' AS body) AS b
                   WHERE length(body) >= 12";
        self.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

async fn listen(dsn: &str, heard: Arc<Mutex<Vec<Value>>>) -> Client {
    let (client, mut connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message {
                assert!(notification.payload().len() < 8000);
                heard.lock().unwrap().push(serde_json::from_str(notification.payload()).unwrap());
            }
        }
    });
    client.batch_execute("LISTEN paird_event").await.unwrap();
    client
}

fn decode(png_base64: &str) -> String {
    let png = BASE64_STANDARD.decode(png_base64).unwrap();
    read_qr(&image::load_from_memory(&png).unwrap().into_luma8())
}

pub fn read_qr(picture: &image::GrayImage) -> String {
    find_qr(picture).expect("one QR in the picture, that can be read")
}

/// The QR in a picture that may hold none, or one that is still being drawn.
pub fn find_qr(picture: &image::GrayImage) -> Option<String> {
    let mut found = find_qrs(picture);
    if found.len() == 1 { found.pop() } else { None }
}

/// Every QR that can be read in a picture, by an independent decoder: not the crate that draws.
pub fn find_qrs(picture: &image::GrayImage) -> Vec<String> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let grey = |x: usize, y: usize| picture.get_pixel(x as u32, y as u32).0[0];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, payload)| payload).collect()
}
