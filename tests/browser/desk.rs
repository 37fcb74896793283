//! An operator at the console: stage, daemon, browser, logged in.

use std::net::TcpListener;

use paird_testkit::{Daemon, Stage, find_qr, until};
use serde_json::json;
use uuid::Uuid;

use crate::window::Window;

pub struct Desk {
    pub stage: Stage,
    pub daemon: Daemon,
    pub window: Window,
    pub address: String,
}

impl Desk {
    /// Logged in, on the page of all accounts.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let desk = Self::at_the_door(settings).await;
        desk.log_in().await;
        desk
    }

    /// The login page is shown.
    pub async fn at_the_door(settings: &[(&str, &str)]) -> Self {
        let stage = Stage::under_roles().await;
        // A port of its own, which a daemon that starts again has again.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let settings: Vec<_> = settings.iter().copied().chain([("PAIRD_CONSOLE_ADDR", address.as_str())]).collect();
        let daemon = stage.daemon(&settings).await;
        let window = Window::open(&stage.dir).await;
        let desk = Self { stage, daemon, window, address };
        desk.go("/").await;
        desk.window.see("#token").await;
        desk
    }

    pub async fn log_in(&self) {
        self.window.fill("#token", &self.token()).await;
        self.window.click("#login button").await;
        self.window.see("[data-action=add]").await;
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.stage.dir.join("daemon/console.token")).unwrap().trim().to_owned()
    }

    pub async fn go(&self, path: &str) {
        let address = format!("http://{}{path}", self.address);
        until("the console's page", || async { self.window.page.goto(&address).await.ok() }).await;
    }

    pub async fn go_to_pairing(&self, account: Uuid) {
        self.go(&format!("/accounts/{account}/pair")).await;
    }

    /// Starts an attempt on the pairing page that is open; the QR is there.
    pub async fn start_qr(&self) {
        self.window.click("[data-action=start]").await;
        self.window.see("#qr").await;
    }

    /// Waits until the pairing page shows this phase.
    pub async fn phase(&self, name: &str) {
        self.window.see(&format!(".face[data-phase={name}]")).await;
    }

    /// Reads the QR as a phone does: from what is on the screen.
    pub async fn qr_on_screen(&self) -> Option<String> {
        self.window.page.find(fantoccini::Locator::Css(".qr:not([data-stale]) #qr")).await.ok()?;
        let payload = find_qr(&self.window.picture().await.into_luma8())?;
        self.stage.web.saw(&payload);
        Some(payload)
    }

    /// The phone scans what is on the screen, until a scan is taken: a code may change
    /// under it.
    pub async fn scan(&self, number: &str) {
        until("a scan that is taken", || async {
            let payload = self.qr_on_screen().await?;
            self.stage.phones.scan(number, &payload).await.ok()
        })
        .await;
    }

    /// The good end: nothing held against the pages, nothing secret in a log.
    pub async fn close(self) {
        let complaints = self.window.complaints().await;
        assert_eq!(complaints, Vec::<String>::new(), "in the browser's console");
        self.window.close().await;
        self.stage.finish([self.daemon]).await;
    }

    /// An account that is run elsewhere, so that its row stays as it is written here.
    pub async fn foreign_account(&self, label: &str, columns: &str) -> Uuid {
        let sql = &self.stage.web.sql;
        let elsewhere = Uuid::new_v4();
        let process = "INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
                       VALUES ($1, 'elsewhere', 1, '0', 'elsewhere', 1, now() + interval '1 hour')";
        sql.execute(process, &[&elsewhere]).await.unwrap();
        let account = Uuid::new_v4();
        let row = format!(
            "INSERT INTO whatsapp_accounts (id, operator_id, label, owner, fence, {})
             VALUES ($1, $2, $3, $4, 1, {})",
            columns.split('=').next().unwrap(),
            columns.split_once('=').unwrap().1
        );
        sql.execute(&row, &[&account, &Uuid::from_u128(1), &label, &elsewhere]).await.unwrap();
        account
    }

    /// An event of such an account.
    pub async fn tell(&self, account: Uuid, kind: &str, payload: serde_json::Value) {
        let sql =
            "WITH next AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
                   INSERT INTO events (account_id, seq, kind, payload) SELECT $1, event_seq, $2, $3 FROM next";
        self.stage.web.sql.execute(sql, &[&account, &kind, &payload]).await.unwrap();
    }
}

/// Several accounts in every status that can be reached at once. The one that is connected.
pub async fn a_full_house(desk: &Desk) -> Uuid {
    let web = &desk.stage.web;
    let connected = web.connect_account("Front desk", "436607000001", &desk.stage.phones).await;
    let pairing = web.account("Depot Graz").await;
    web.does("account.pair", pairing, json!({})).await;
    web.qr(pairing).await;
    desk.foreign_account(
        "Night shift",
        "phone_number, last_phone_number, status, status_reason, next_retry_at, desired =
         '436607000003', '436607000003', 'reconnecting', 'socket_lost: closed', now() + interval '12 minutes', 'paired'",
    )
    .await;
    desk.foreign_account(
        "Marketing",
        "phone_number, status, status_reason, next_retry_at, desired =
         '436607000004', 'held', 'temporary_ban: 402 code 101', now() + interval '5 hours', 'paired'",
    )
    .await;
    web.account("A rather long name that somebody typed for the branch in Klagenfurt am Wörthersee").await;
    connected
}
