//! Carries a script out, makes it quiet, and looks.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird_sandbox::ScanOptions;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{
    invariants,
    script::{ACCOUNTS, Act, DAEMONS, PHONES, Script, number},
    support::{Daemon, Stage, until},
};

/// Attempts end within the campaign, by themselves.
const SETTINGS: [(&str, &str); 1] = [("PAIRD_PAIR_TIMEOUT", "10s")];
/// From the last fault until nothing is under way any more: backoffs and answers that
/// never come take up to a minute.
const SETTLED_WITHIN: Duration = Duration::from_secs(150);

pub struct Campaign {
    pub stage: Stage,
    pub accounts: Vec<Uuid>,
    daemons: Vec<Daemon>,
    injected: BTreeMap<&'static str, u32>,
}

impl Campaign {
    /// Says what was injected, by kind.
    pub async fn run(script: Script) -> BTreeMap<&'static str, u32> {
        let mut campaign = Self::begin().await;
        let started = Instant::now();
        for (pause, act) in script.acts {
            tokio::time::sleep(pause).await;
            println!("{:>6} ms  {act:?}", started.elapsed().as_millis());
            campaign.carry_out(act).await;
        }
        campaign.stage.phones.clear_faults().await;
        let settled = Instant::now();
        campaign.settle().await;
        println!("seed {}: {:?} of faults, settled {:?} after", script.seed, settled - started, settled.elapsed());
        campaign.say_what_came_of_it().await;
        invariants::hold(&campaign.stage, &campaign.accounts).await;
        campaign.leaks_nothing().await;
        campaign.end().await
    }

    async fn begin() -> Self {
        let stage = Stage::empty().await;
        for phone in 0..PHONES {
            stage.phones.add(&number(phone)).await;
        }
        let mut accounts = Vec::new();
        for account in 0..ACCOUNTS {
            accounts.push(stage.web.account(&format!("account {account}")).await);
        }
        let mut daemons = Vec::new();
        for _ in 0..DAEMONS {
            daemons.push(stage.daemon(&SETTINGS).await);
        }
        Self { stage, accounts, daemons, injected: BTreeMap::new() }
    }

    async fn carry_out(&mut self, act: Act) {
        match act {
            Act::Command(account, kind, args) => {
                self.stage.web.send(kind, self.accounts[account], args).await;
            }
            Act::Scan { which, phone, approve_after_ms, bad_signature, then } => {
                let options = ScanOptions { approve_after_ms, bad_signature, ..ScanOptions::default() };
                let scanned = self.scan(which, phone, options).await;
                if let (Some(account), Some((after, kind, args))) = (scanned, then) {
                    tokio::time::sleep(after).await;
                    self.stage.web.send(kind, account, args).await;
                }
            }
            Act::RemoveDevice { phone, which } => {
                let devices = self.stage.phones.devices(&number(phone)).await;
                if let Some(device) = devices.get(which % devices.len().max(1)) {
                    self.stage.phones.unlink(&number(phone), &device.jid).await;
                    self.note("device removed by the phone");
                }
            }
            Act::Fault(kind, fault) => {
                self.stage.phones.fault(fault).await;
                self.note(kind);
            }
            Act::ClearFaults => self.stage.phones.clear_faults().await,
            Act::KillDaemon(which) => {
                let next = self.stage.daemon_starting(&SETTINGS);
                std::mem::replace(&mut self.daemons[which], next).kill().await;
                self.note("daemon killed");
            }
            Act::TerminateDaemon(which) => {
                let next = self.stage.daemon_starting(&SETTINGS);
                let status = std::mem::replace(&mut self.daemons[which], next).terminate().await;
                assert!(status.success(), "{status}");
                self.note("daemon terminated");
            }
            Act::FreezeDaemon(which, time) => {
                self.daemons[which].signal(Signal::SIGSTOP);
                tokio::time::sleep(time).await;
                self.daemons[which].signal(Signal::SIGCONT);
                self.note("daemon frozen");
            }
            Act::CutDatabase => {
                let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
                self.stage.web.count(cut, &[]).await;
                self.note("database connections cut");
            }
            Act::CrashPostgres => {
                self.crash_postgres().await;
                self.note("Postgres crashed");
            }
        }
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

    async fn crash_postgres(&mut self) {
        let database = self.stage.database.as_ref().unwrap();
        let former = database.pid().unwrap();
        kill(Pid::from_raw(i32::try_from(former).unwrap()), Signal::SIGQUIT).unwrap();
        until("Postgres is back", || async {
            if database.pid().is_none_or(|pid| pid == former) {
                return None;
            }
            let (sql, connection) = tokio_postgres::connect(&self.stage.dsn, NoTls).await.ok()?;
            tokio::spawn(connection);
            sql.batch_execute("SELECT 1").await.ok()
        })
        .await;
        self.stage.web.reconnect().await;
    }

    /// Waits until nothing is under way: no command, no attempt, no ticket, no retry.
    async fn settle(&mut self) {
        for daemon in &mut self.daemons {
            daemon.up().await;
        }
        let under_way = "SELECT concat_ws(' ', 'command', c.id, c.kind, c.state) FROM commands c
                WHERE c.state IN ('queued', 'running')
            UNION ALL SELECT concat_ws(' ', 'ticket', t.account_id, t.reason, t.attempts, t.last_error) FROM unlink_tickets t
            UNION ALL SELECT concat_ws(' ', a.label, a.status, a.status_reason, a.next_retry_at) FROM whatsapp_accounts a
                WHERE a.status IN ('pending', 'reconnecting') OR (a.status = 'held' AND a.next_retry_at IS NOT NULL)
                   OR (a.status = 'connected' AND a.groups_synced_at IS NULL)";
        let deadline = Instant::now() + SETTLED_WITHIN;
        let (mut quiet, mut told) = (0, Instant::now());
        // Quiet means twice in a row: between a command's end and what it started is a gap.
        while quiet < 3 {
            let left = self.stage.web.sql.query(under_way, &[]).await.unwrap();
            quiet = if left.is_empty() { quiet + 1 } else { 0 };
            let left: Vec<String> = left.iter().map(|row| row.get(0)).collect();
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

    /// Fresh daemons in the same place hold as many files and threads as those that
    /// went through it all, within a few.
    async fn leaks_nothing(&mut self) {
        let used: Vec<_> = self.daemons.iter().map(Daemon::resources).collect();
        for which in 0..DAEMONS {
            let next = self.stage.daemon_starting(&SETTINGS);
            let status = std::mem::replace(&mut self.daemons[which], next).terminate().await;
            assert!(status.success(), "{status}");
        }
        self.settle().await;
        invariants::hold(&self.stage, &self.accounts).await;
        let fresh: Vec<_> = self.daemons.iter().map(Daemon::resources).collect();
        let sum = |of: &[(usize, usize)]| of.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let ((files, threads), (fresh_files, fresh_threads)) = (sum(&used), sum(&fresh));
        println!("files {files} (fresh {fresh_files}), threads {threads} (fresh {fresh_threads})");
        // Pools differ by what was last asked of them.
        assert!(files <= fresh_files + 20, "leaked files: {used:?}, fresh ones have {fresh:?}");
        assert!(threads <= fresh_threads + 24, "leaked threads: {used:?}, fresh ones have {fresh:?}");
    }

    async fn end(self) -> BTreeMap<&'static str, u32> {
        for daemon in self.daemons {
            assert!(daemon.terminate().await.success());
        }
        until("every socket is closed", || async {
            (self.stage.phones.report().await.connections_now == 0).then_some(())
        })
        .await;
        self.stage.finish([]).await;
        self.injected
    }

    fn note(&mut self, kind: &'static str) {
        *self.injected.entry(kind).or_default() += 1;
    }
}
