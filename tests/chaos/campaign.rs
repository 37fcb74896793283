//! Carries a script out, makes it quiet, and looks.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use paird_sandbox::{Fault, ScanOptions, Scope};
use paird_testkit::{Stage, until, until_within};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    database::Siege,
    fleet::{Fleet, POOL, Resources},
    invariants::{self, messages::Post, sends::SentMail},
    script::{ACCOUNTS, ALL_PHONES, Act, Flaw, Flooder, LATE, PHONES, Script, Typing, number},
    sends::Sends,
    talk::Talks,
    tally::Tally,
};

/// The label of accounts that no command is sent to, but to resume them.
const SHOP: &str = "a shop";
/// From the last fault until nothing is under way any more: an outdated client is tried
/// again after a minute, answers that never come take as long.
const SETTLED_WITHIN: Duration = Duration::from_secs(200);
/// Until messages that wait are read, once they are asked for.
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);
/// Until a shop is linked, however often that is begun anew.
const OPENED_WITHIN: Duration = Duration::from_secs(120);
/// For so long nothing must be under way: between a command's end and what it started is a gap.
const QUIET: Duration = Duration::from_millis(1_200);

/// Unfinished work: commands, attempts, tickets, deletions, retries, accounts on their way to another
/// daemon or back to one that was held up for longer than its lease, and messages to be sent.
pub const UNDER_WAY: &str = "SELECT concat_ws(' ', 'command', c.id, c.kind, c.state) FROM commands c
                WHERE c.state IN ('queued', 'running')
            UNION ALL SELECT concat_ws(' ', 'ticket', t.account_id, t.reason, t.attempts, t.last_error) FROM unlink_tickets t
            UNION ALL SELECT concat_ws(' ', a.label, a.status, a.status_reason, a.next_retry_at) FROM whatsapp_accounts a
                WHERE a.status IN ('pending', 'reconnecting', 'deleting') OR (a.status = 'held' AND a.next_retry_at IS NOT NULL)
                   OR (a.status = 'connected' AND a.groups_synced_at IS NULL)
            UNION ALL SELECT concat_ws(' ', 'lease of', p.pid) FROM processes p
                WHERE p.expires_at > clock_timestamp() AND p.pid <> ALL ($1)
            UNION ALL SELECT concat_ws(' ', a.label, 'has no owner') FROM whatsapp_accounts a
                WHERE needs_daemon(a) AND NOT EXISTS (SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())
            UNION ALL SELECT concat_ws(' ', 'event', e.id, 'to be sent') FROM events e WHERE NOT e.notified
            UNION ALL SELECT concat_ws(' ', a.label, 'has', count(*), 'messages', m.state) FROM messages m
                JOIN whatsapp_accounts a ON a.id = m.account_id AND a.deleted_at IS NULL
                WHERE m.direction = 'out' AND (
                    (m.state IN ('queued', 'sending') AND a.status = 'connected')
                    OR (m.state = 'sending' AND a.keyring_id IS NULL AND a.linking_keyring_id IS NULL)
                    OR (m.state = 'queued' AND m.expires_at < clock_timestamp()))
                GROUP BY a.id, m.state";

pub struct Campaign {
    pub stage: Stage,
    pub accounts: Vec<Uuid>,
    pub fleet: Fleet,
    siege: Siege,
    /// How often each bare NOTIFY was sent, by kind and account.
    pub notified: BTreeMap<(String, Option<Uuid>), i64>,
    pub talks: Talks,
    pub sends: Sends,
    /// The accounts of the shops.
    shops: Vec<Uuid>,
    tally: Tally,
}

impl Campaign {
    pub async fn run(script: Script) -> Tally {
        let mut campaign = Self::begin().await;
        let started = Instant::now();
        for (nth, (pause, act)) in script.acts.into_iter().enumerate() {
            tokio::time::sleep(pause).await;
            if nth == ACCOUNTS {
                campaign.shown().await;
            }
            campaign.fleet.wake_the_due();
            campaign.siege.lift_the_due();
            println!("{:>6} ms  {act:?}", started.elapsed().as_millis());
            let (name, is_fault) = (act.name(), act.is_fault());
            if campaign.carry_out(act).await {
                campaign.tally.note(name, is_fault);
            }
        }
        let calm = Instant::now();
        campaign.talks.end(&campaign.stage.phones).await;
        campaign.sends.end(&campaign.stage.phones).await;
        campaign.resume_shops().await;
        if script.is_short {
            // Else a message whose acknowledgement was lost waits for it, for a minute.
            campaign.stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
        }
        println!("when the faults end: {:?}", Post::of(&campaign.stage).await.1);
        campaign.quiet().await;
        campaign.tally.settled(script.seed, calm - started, calm.elapsed());
        campaign.say_what_came_of_it().await;
        campaign.holds().await;
        campaign.leaks_nothing().await;
        campaign.recovers_what_waits().await;
        campaign.end().await
    }

    async fn begin() -> Self {
        let stage = Stage::empty().await;
        for phone in 0..ALL_PHONES {
            stage.phones.add(&number(phone)).await;
        }
        let mut accounts = Vec::new();
        for account in 0..ACCOUNTS {
            accounts.push(stage.web.account(&format!("account {account}")).await);
        }
        // By whom only floods are sent.
        stage.web.sql.batch_execute("CREATE ROLE flooder LOGIN").await.unwrap();
        stage.web.sql.batch_execute(invariants::messages::NOTE_LINKS).await.unwrap();
        stage.web.sql.batch_execute(invariants::sends::NOTE_STEPS).await.unwrap();
        let talks = Talks::begin(&stage).await;
        let sends = Sends::begin(&stage).await;
        let fleet = Fleet::start(&stage).await;
        let mut shops = Vec::new();
        for shop in PHONES..ALL_PHONES {
            shops.push(opened(&number(shop), &stage).await);
        }
        Self {
            stage,
            accounts,
            fleet,
            siege: Siege::default(),
            notified: BTreeMap::new(),
            talks,
            sends,
            shops,
            tally: Tally::default(),
        }
    }

    /// There is something to scan; a machine that is too busy for it goes on with less.
    async fn shown(&self) {
        let showing = "SELECT count(DISTINCT account_id) FROM events WHERE kind IN ('session.qr', 'session.code')";
        let most = until("most accounts have shown a QR or a code", || async {
            (self.stage.web.count(showing, &[]).await >= ACCOUNTS as i64 * 3 / 4).then_some(())
        });
        if tokio::time::timeout(Duration::from_secs(10), most).await.is_err() {
            println!("a busy machine: few accounts show a QR yet");
        }
    }

    /// Whether there was anything to do it to.
    async fn carry_out(&mut self, act: Act) -> bool {
        match act {
            Act::Command { account, kind, args } => {
                self.stage.web.send(kind, self.account(account), args).await;
            }
            Act::Notify { account, kind, args } => self.notify(self.account(account), kind, args).await,
            Act::NewAccount => {
                let label = format!("account {}", self.accounts.len());
                self.accounts.push(self.stage.web.account(&label).await);
            }
            Act::Flood { by, count } => return self.flood(by, count).await,
            Act::Say { phone, stanza } => self.stage.phones.say(&number(phone), &stanza).await,
            Act::Scan { which, phone, approve_after_ms, flaw, then } => {
                let (bad_signature, bad_hmac) =
                    (matches!(flaw, Some(Flaw::Signature)), matches!(flaw, Some(Flaw::Hmac)));
                let scanned = self.scan(which, phone, ScanOptions { approve_after_ms, bad_signature, bad_hmac }).await;
                let Some(account) = scanned else { return false };
                if let Some((after, kind, args)) = then {
                    tokio::time::sleep(after).await;
                    self.stage.web.send(kind, account, args).await;
                }
            }
            Act::TypeCode { which, how } => return self.type_code(which, how).await,
            Act::RemoveDevice { phone, which } => {
                let devices = self.stage.phones.devices(&number(phone)).await;
                let Some(device) = devices.get(which % devices.len().max(1)) else { return false };
                self.stage.phones.unlink(&number(phone), &device.jid).await;
            }
            Act::Talk(talk) => {
                self.resume_shops().await;
                return self.talks.carry_out(talk, &self.stage.phones).await;
            }
            Act::Web(act) => {
                let (accounts, shops) = (&self.accounts, &self.shops);
                let account = |by: usize| shops.get(by.wrapping_sub(PHONES)).copied().unwrap_or(accounts[by]);
                return self.sends.carry_out(act, account, &self.stage).await;
            }
            Act::Fault(fault) => self.stage.phones.fault(fault).await,
            Act::ClearFaults => self.stage.phones.clear_faults().await,
            Act::Daemon(act, which) => return self.fleet.act(act, which, &self.stage).await,
            Act::Database(act) => self.siege.act(act, &mut self.stage).await,
            Act::Late(which, time) => self.fleet.wire.delay_next(LATE[which], time),
            Act::RotateKeys => self.fleet.rotate_keys(&self.stage),
        }
        true
    }

    /// As an operator does who sees that an account is held.
    async fn resume_shops(&self) {
        let resume = "SELECT send_command('account.resume', a.id, '{}', concat(a.id, a.last_change))
            FROM whatsapp_accounts a WHERE a.label = $1 AND a.status = 'held'";
        self.stage.web.sql.execute(resume, &[&SHOP]).await.unwrap();
    }

    fn account(&self, which: usize) -> Uuid {
        self.accounts[which % self.accounts.len()]
    }

    /// Half of it are commands for an account, which nobody may take. Not where the database is away.
    async fn flood(&mut self, by: Flooder, count: u32) -> bool {
        let command = json!({"type": "account.delete", "accountId": self.account(0)}).to_string();
        let (login, payload) = match by {
            Flooder::Stranger => ("flooder", command.as_str()),
            Flooder::Web => ("paird", "{}"),
        };
        let dsn = self.stage.dsn.replace("user=paird", &format!("user={login}"));
        let Ok((client, connection)) = tokio_postgres::connect(&dsn, tokio_postgres::NoTls).await else { return false };
        tokio::spawn(connection);
        if matches!(by, Flooder::Web) {
            // Each is stored as a failed command without a kind.
            *self.notified.entry(("(none)".to_owned(), None)).or_default() += i64::from(count / 2);
        }
        let sql =
            "SELECT count(pg_notify('paird_command', CASE WHEN nth % 2 = 0 THEN $1 || repeat(' ', (nth % 500)::int)
                   ELSE nth::text END)) FROM generate_series(1, $2::bigint) AS nth";
        client.query_one(sql, &[&payload, &i64::from(count)]).await.is_ok()
    }

    async fn notify(&mut self, account: Uuid, kind: String, mut args: Value) {
        args["type"] = json!(kind);
        args["accountId"] = json!(account);
        self.stage.web.sql.execute("SELECT pg_notify('paird_command', $1)", &[&args.to_string()]).await.unwrap();
        *self.notified.entry((kind, Some(account))).or_default() += 1;
    }

    /// Which account was scanned. In the background: a scan waits for what the fault of the moment makes of it.
    async fn scan(&self, which: usize, phone: usize, options: ScanOptions) -> Option<Uuid> {
        let showing = "SELECT id FROM whatsapp_accounts WHERE last_qr_png IS NOT NULL ORDER BY created_at, id";
        let showing = self.stage.web.sql.query(showing, &[]).await.unwrap();
        let account = showing.get(which % showing.len().max(1))?.get(0);
        let qr = self.stage.web.qr_now(account).await?;
        let phones = self.stage.phones.clone();
        tokio::spawn(async move { phones.scan_with(&number(phone), &qr, options).await });
        Some(account)
    }

    /// In the background, like a scan.
    async fn type_code(&self, which: usize, how: Typing) -> bool {
        let showing =
            "SELECT id, pair_phone FROM whatsapp_accounts WHERE pair_code IS NOT NULL ORDER BY created_at, id";
        let showing = self.stage.web.sql.query(showing, &[]).await.unwrap();
        let Some(row) = showing.get(which % showing.len().max(1)) else { return false };
        let (account, own): (Uuid, Option<String>) = (row.get(0), row.get(1));
        let (Some(code), Some(own)) = (self.stage.web.code_now(account).await, own) else { return false };
        let (phone, code) = match how {
            Typing::Right => (own, code),
            Typing::WrongCode => (own, code.chars().rev().collect()),
            Typing::WrongPhone(phone) => (number(phone), code),
        };
        let phones = self.stage.phones.clone();
        tokio::spawn(async move { phones.type_code(&phone, &code).await });
        true
    }

    /// Checks every invariant. A past fault may still end a connection, such as one that waits for
    /// a swallowed answer. So if something is under way again, this waits and checks once more;
    /// permanent damage remains visible.
    async fn holds(&mut self) {
        loop {
            let broken = invariants::broken(self).await;
            if broken.is_empty() {
                return;
            }
            assert!(!self.under_way().await.is_empty(), "broken:\n{}", broken.join("\n"));
            println!("under way again, checked once more: {broken:?}");
            self.quiet().await;
        }
    }

    async fn under_way(&self) -> Vec<String> {
        let left = self.stage.web.sql.query(UNDER_WAY, &[&self.fleet.pids()]).await.unwrap();
        left.iter().map(|row| row.get(0)).collect()
    }

    /// No fault any more; then waits until nothing is under way for a while.
    async fn quiet(&mut self) {
        self.siege.lift();
        self.stage.phones.clear_faults().await;
        self.fleet.up(&self.stage).await;
        self.try_again_now().await;
        let deadline = Instant::now() + SETTLED_WITHIN;
        let (mut quiet_since, mut told) = (None, Instant::now());
        loop {
            let mut left = self.under_way().await;
            left.extend(invariants::messages::none_is_kept(&self.stage).await);
            quiet_since = left.is_empty().then(|| quiet_since.unwrap_or_else(Instant::now));
            if quiet_since.is_some_and(|since| since.elapsed() >= QUIET) {
                return;
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                println!("waiting for {left:?}");
            }
            assert!(Instant::now() < deadline, "never settled: {left:#?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// So that one sees whether there was anything to hold.
    async fn say_what_came_of_it(&self) {
        for (what, tally) in [
            (
                "accounts",
                "SELECT status, count(*) FROM whatsapp_accounts WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1",
            ),
            ("commands", "SELECT state, count(*) FROM commands GROUP BY 1 ORDER BY 1"),
            ("events", "SELECT kind, count(*) FROM events GROUP BY 1 ORDER BY 1"),
        ] {
            let rows = self.stage.web.sql.query(tally, &[]).await.unwrap();
            let tally: Vec<_> =
                rows.iter().map(|row| format!("{} {}", row.get::<_, i64>(1), row.get::<_, &str>(0))).collect();
            println!("{what}: {}", tally.join(", "));
        }
        let report = self.stage.phones.report().await;
        let (links, logins) = (report.links_made, report.logins);
        println!("WhatsApp: {links} links, {} unlinks, {} removals, {logins} logins", report.unlinks, report.removals);
        assert!(links > 0 && logins > links, "nothing happened");
    }

    /// Fresh daemons with the same accounts use nearly the same resources as those that went
    /// through the campaign. Data sealed under a former master key can be decrypted.
    async fn leaks_nothing(&mut self) {
        // A connection has a task for each of its last chats, and a fresh one has had none.
        self.stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
        self.quiet().await;
        let used = self.fleet.resources(&self.stage).await;
        self.fleet.rotate_keys(&self.stage);
        self.may_ask_again().await;
        self.fleet.renew(&self.stage).await;
        self.quiet().await;
        self.holds().await;
        let fresh = self.fleet.resources(&self.stage).await;
        println!("after the faults: {used:?}\nfresh daemons:    {fresh:?}");
        // Pools differ by what was last asked of them.
        assert!(used.files <= fresh.files + 20, "leaked files");
        assert!(used.threads <= fresh.threads + 24, "leaked threads");
        // Each connection of a pool is a task, and has its own bound below.
        let beside_pools = |resources: &Resources| resources.tasks.saturating_sub(resources.connections);
        assert!(beside_pools(&used) <= beside_pools(&fresh) + 12, "leaked tasks");
        let pools = self.fleet.daemons.len() * POOL;
        assert!(used.connections <= pools, "leaked connections: more than {pools}");
    }

    /// As if the pauses were over that messages make before their next tries.
    async fn try_again_now(&self) {
        let now = "WITH due AS (UPDATE messages SET due_at = clock_timestamp()
                WHERE state = 'queued' AND attempt > 0 AND due_at > clock_timestamp() RETURNING account_id)
            SELECT ring_for_messages(account_id) FROM (SELECT DISTINCT account_id FROM due) AS d";
        self.stage.web.sql.query(now, &[]).await.unwrap();
    }

    /// As if the requests for messages that wait were days old: each login repeats them then.
    async fn may_ask_again(&self) {
        let later = "UPDATE messages SET asked_at = asked_at - interval '2 days' WHERE state = 'waiting'";
        self.stage.web.sql.batch_execute(later).await.unwrap();
    }

    /// What a phone has that its account's device could not read is read in the end.
    async fn recovers_what_waits(&mut self) {
        self.sends.end(&self.stage.phones).await;
        let begun = Instant::now();
        let (waiting, counts, sends) = loop {
            let (post, counts) = Post::of(&self.stage).await;
            let (sent_mail, sends) = SentMail::of(&self.stage, self.sends.noted()).await;
            let waiting = [post.waiting(), sent_mail.not_read()].concat();
            if waiting.is_empty() || begun.elapsed() > RECOVERED_WITHIN {
                break (waiting, counts, sends);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        assert!(waiting.is_empty(), "these wait for ever:\n{}", waiting.join("\n"));
        self.quiet().await;
        self.holds().await;
        let report = self.stage.phones.report().await;
        println!("received: {counts:?}\nsent: {sends:?}\nfaults that met their occasion: {:?}", report.faults_hit);
        self.tally.wrote(counts, sends, report.faults_hit);
    }

    async fn end(self) -> Tally {
        self.fleet.stop().await;
        until("every socket is closed", || async {
            (self.stage.phones.report().await.connections_now == 0).then_some(())
        })
        .await;
        self.stage.finish([]).await;
        self.tally
    }
}

/// An account that is linked to this phone. On a busy machine a daemon may lose its lease amid the
/// pairing, and with it the attempt.
async fn opened(number: &str, stage: &Stage) -> Uuid {
    stage.phones.add(number).await;
    let account = stage.web.account(SHOP).await;
    until_within(OPENED_WITHIN, "a shop that is open", || async {
        match stage.web.status(account).await.as_str() {
            "connected" => return Some(()),
            "unpaired" => {
                stage.web.ask("account.pair", account, json!({})).await;
            }
            _ => {
                let qr = stage.web.qr_now(account).await?;
                // It may have changed under the phone.
                let _ = stage.phones.scan(number, &qr).await;
            }
        }
        None
    })
    .await;
    account
}
