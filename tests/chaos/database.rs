//! Faults of Postgres in a campaign.

use std::time::Instant;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird_testkit::{Stage, until};
use tokio_postgres::{Client, NoTls};

use crate::script::DatabaseAct;

/// Not the web app's: it is how the campaign looks.
const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND application_name = 'paird'";

/// Faults of the database that last.
#[derive(Default)]
pub struct Siege {
    /// Server processes that stand still, and until when.
    frozen: Vec<(Instant, i32)>,
    /// Connections that are occupied, and until when.
    taken: Vec<(Instant, Client)>,
}

impl Siege {
    pub async fn act(&mut self, act: DatabaseAct, stage: &mut Stage) {
        match act {
            DatabaseAct::Cut => {
                stage.web.count(CUT, &[]).await;
            }
            DatabaseAct::Crash => self.restart(Signal::SIGQUIT, stage).await,
            DatabaseAct::Restart => self.restart(Signal::SIGINT, stage).await,
            DatabaseAct::Exhaust(time) => {
                stage.web.count(CUT, &[]).await;
                let until = Instant::now() + time;
                while let Ok((client, connection)) = tokio_postgres::connect(&stage.dsn, NoTls).await {
                    tokio::spawn(connection);
                    self.taken.push((until, client));
                }
            }
            DatabaseAct::Freeze(time) => {
                let idle = "SELECT pid FROM pg_stat_activity WHERE application_name = 'paird' AND state = 'idle'";
                for row in stage.web.sql.query(idle, &[]).await.unwrap() {
                    let pid: i32 = row.get(0);
                    // It may have ended by itself since.
                    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
                    self.frozen.push((Instant::now() + time, pid));
                }
            }
        }
    }

    /// Those whose time is over end.
    pub fn lift_the_due(&mut self) {
        let now = Instant::now();
        self.taken.retain(|(until, _)| *until > now);
        self.frozen.retain(|(until, pid)| {
            if *until <= now {
                go_on(*pid);
            }
            *until > now
        });
    }

    pub fn lift(&mut self) {
        self.taken.clear();
        for (_, pid) in self.frozen.drain(..) {
            go_on(pid);
        }
    }

    /// SIGQUIT: as after a crash. SIGINT: as an administrator does.
    async fn restart(&mut self, signal: Signal, stage: &mut Stage) {
        // A server process that stands still would hold an orderly end up.
        self.lift();
        let database = stage.database.as_ref().unwrap();
        let former = until("Postgres to end", || async { database.pid() }).await;
        kill(Pid::from_raw(i32::try_from(former).unwrap()), signal).unwrap();
        until("Postgres is back", || async {
            if database.pid().is_none_or(|pid| pid == former) {
                return None;
            }
            let (sql, connection) = tokio_postgres::connect(&stage.dsn, NoTls).await.ok()?;
            tokio::spawn(connection);
            sql.batch_execute("SELECT 1").await.ok()
        })
        .await;
        stage.web.reconnect().await;
    }
}

fn go_on(pid: i32) {
    // One that was given up may be gone.
    let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
}
