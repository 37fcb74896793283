//! The daemons of a campaign: they join, leave, die, stop and go on.

use std::{
    process::Stdio,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use paird_testkit::{Api, Daemon, Stage, Wire, until};
use serde_json::json;
use tokio::process::{Child, Command};

use crate::script::{DAEMONS, DaemonAct, MOST_DAEMONS};

/// Short, so that a lease is lost and taken within a campaign; a daemon that is as slow
/// as a busy machine makes it must still keep it.
const LEASE: &str = "5s";
/// Attempts end within the campaign, by themselves.
const PAIR_TIMEOUT: &str = "15s";
/// A daemon that wakes closes what it holds of others at once.
const AWAKE: Duration = Duration::from_secs(1);

pub struct Fleet {
    pub daemons: Vec<Daemon>,
    /// Their way to Postgres, on which statements are late.
    pub wire: Wire,
    frozen: Vec<Frozen>,
    /// When some daemon stood still for longer than its lease, from and to, in
    /// milliseconds since 1970: another may have logged its devices in.
    pub usurped: Vec<(u64, u64)>,
    rotations: Vec<Child>,
}

/// A daemon that stands still.
struct Frozen {
    pid: i32,
    since: u64,
    until: Instant,
    beyond_its_lease: bool,
}

/// The resources of all daemons together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    pub files: usize,
    pub threads: usize,
    /// Of the runtime.
    pub tasks: usize,
    /// To Postgres.
    pub connections: usize,
}

impl Fleet {
    pub async fn start(stage: &Stage) -> Self {
        let wire = Wire::to(stage);
        let mut fleet =
            Self { daemons: Vec::new(), wire, frozen: Vec::new(), usurped: Vec::new(), rotations: Vec::new() };
        for _ in 0..DAEMONS {
            let mut daemon = fleet.starting(stage);
            daemon.up().await;
            fleet.daemons.push(daemon);
        }
        fleet
    }

    fn starting(&self, stage: &Stage) -> Daemon {
        stage.daemon_starting(&[
            ("PAIRD_PAIR_TIMEOUT", PAIR_TIMEOUT),
            ("PAIRD_LEASE_TTL", LEASE),
            ("DATABASE_URL", &self.wire.dsn),
        ])
    }

    pub fn pids(&self) -> Vec<i32> {
        self.daemons.iter().map(Daemon::pid).collect()
    }

    /// Whether it was done: there is a least and a most of daemons.
    pub async fn act(&mut self, act: DaemonAct, which: usize, stage: &Stage) -> bool {
        let which = which % self.daemons.len();
        match act {
            DaemonAct::Join if self.daemons.len() >= MOST_DAEMONS => return false,
            DaemonAct::Join => self.daemons.push(self.starting(stage)),
            DaemonAct::Leave if self.daemons.len() <= DAEMONS => return false,
            DaemonAct::Leave => {
                let leaver = self.daemons.remove(which);
                self.end(leaver).await;
            }
            DaemonAct::Kill => {
                let heir = self.starting(stage);
                let killed = std::mem::replace(&mut self.daemons[which], heir);
                killed.kill().await;
            }
            DaemonAct::Replace => {
                let heir = self.starting(stage);
                let leaver = std::mem::replace(&mut self.daemons[which], heir);
                self.end(leaver).await;
            }
            DaemonAct::Drain | DaemonAct::Undrain if !self.daemons[which].log().contains("paird is up") => {
                return false;
            }
            // In the background: it may stand still, or wait for its accounts.
            DaemonAct::Drain => {
                let api = Api::of(stage, &mut self.daemons[which]).await;
                tokio::spawn(async move { api.post("/api/drain", json!({})).await });
            }
            DaemonAct::Undrain => {
                let api = Api::of(stage, &mut self.daemons[which]).await;
                tokio::spawn(async move { api.ask("DELETE", "/api/drain", &[], None).await });
            }
            DaemonAct::Freeze(_) if self.frozen.iter().any(|frozen| frozen.pid == self.daemons[which].pid()) => {
                return false;
            }
            DaemonAct::Freeze(time) => {
                let daemon = &self.daemons[which];
                daemon.signal(Signal::SIGSTOP);
                let beyond_its_lease = time >= Duration::from_millis(4_500);
                self.frozen.push(Frozen {
                    pid: daemon.pid(),
                    since: now_ms(),
                    until: Instant::now() + time,
                    beyond_its_lease,
                });
            }
        }
        true
    }

    /// SIGTERM. One that has not come as far as hearing it may be ended by it.
    async fn end(&mut self, mut leaver: Daemon) {
        self.wake(leaver.pid());
        if leaver.log().contains("paird is up") {
            let status = leaver.terminate().await;
            assert!(status.success(), "{status}");
        } else {
            assert!(leaver.is_running(), "it ended by itself: {}", leaver.log());
            leaver.kill().await;
        }
    }

    /// Those whose time is over go on.
    pub fn wake_the_due(&mut self) {
        let due = self.frozen.iter().filter(|frozen| frozen.until <= Instant::now());
        for pid in due.map(|frozen| frozen.pid).collect::<Vec<_>>() {
            self.wake(pid);
        }
    }

    fn wake(&mut self, pid: i32) {
        while let Some(at) = self.frozen.iter().position(|frozen| frozen.pid == pid) {
            let frozen = self.frozen.swap_remove(at);
            if let Some(daemon) = self.daemons.iter().find(|daemon| daemon.pid() == pid) {
                daemon.signal(Signal::SIGCONT);
            } else {
                // Killed, or on its way out.
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGCONT);
            }
            if frozen.beyond_its_lease || now_ms() - frozen.since > 4_500 {
                self.usurped.push((frozen.since, now_ms() + AWAKE.as_millis() as u64));
            }
        }
    }

    /// Resumes all daemons, and waits until each accepts commands.
    pub async fn up(&mut self, stage: &Stage) {
        self.wire.delay_no_more();
        for pid in self.frozen.iter().map(|frozen| frozen.pid).collect::<Vec<_>>() {
            self.wake(pid);
        }
        for daemon in &mut self.daemons {
            daemon.up().await;
            let api = Api::of(stage, daemon).await;
            until("no drain", || async {
                (api.ask("DELETE", "/api/drain", &[], None).await.status == 200).then_some(())
            })
            .await;
        }
        for rotation in &mut self.rotations {
            // One that met a fault of the database gave up; the last one has none to meet.
            rotation.wait().await.unwrap();
        }
    }

    pub fn rotate_keys(&mut self, stage: &Stage) {
        let mut rotation = Command::new(paird_testkit::paird());
        rotation.args(["keys", "rotate"]).env_clear().current_dir(&stage.dir).env("HOME", &stage.dir);
        rotation.env("DATABASE_URL", &stage.dsn).env("PAIRD_DATA_DIR", stage.dir.join("daemon"));
        rotation.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
        self.rotations.push(rotation.spawn().unwrap());
    }

    /// As many others in the same place, one after the other.
    pub async fn renew(&mut self, stage: &Stage) {
        for which in 0..self.daemons.len() {
            self.act(DaemonAct::Replace, which, stage).await;
        }
        self.up(stage).await;
    }

    /// The minimum of several readings, so that work in progress does not count as a leak.
    pub async fn resources(&self, stage: &Stage) -> Resources {
        let mut least: Option<Resources> = None;
        for _ in 0..4 {
            let tasks = self.tasks(stage).await;
            let (files, threads) =
                self.daemons.iter().map(Daemon::resources).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'paird'";
            let connections = usize::try_from(stage.web.count(open, &[]).await).unwrap();
            let seen = Resources { files, threads, tasks, connections };
            least = Some(least.map_or(seen, |least| Resources {
                files: least.files.min(seen.files),
                threads: least.threads.min(seen.threads),
                tasks: least.tasks.min(seen.tasks),
                connections: least.connections.min(seen.connections),
            }));
        }
        least.unwrap()
    }

    /// Each daemon says how many it has when it compares itself with the database.
    async fn tasks(&self, stage: &Stage) -> usize {
        let told: Vec<usize> = self.daemons.iter().map(|daemon| tasks_told(daemon).len()).collect();
        stage.web.sql.batch_execute("NOTIFY paird_command, 'resync'").await.unwrap();
        let counts = self.daemons.iter().zip(told).map(|(daemon, told)| {
            until(
                "a daemon that says how many tasks it has",
                move || async move { tasks_told(daemon).get(told).copied() },
            )
        });
        join_all(counts).await.into_iter().sum()
    }

    /// Stops all daemons, and checks that none leaves a task behind.
    pub async fn stop(self) {
        for daemon in self.daemons {
            let log = daemon.log_path();
            assert!(daemon.terminate().await.success());
            let left = tasks_in(&std::fs::read_to_string(log).unwrap()).pop();
            println!("tasks at a daemon's end: {left:?}");
            assert!(left.is_some_and(|left| left <= TASKS_AT_THE_END), "tasks outlived their connections: {left:?}");
        }
    }
}

/// A daemon's connections to Postgres: for rows, for keys, for its heartbeat, for messages, and the
/// one that listens.
pub const POOL: usize = 8 + 8 + 2 + 4 + 1;

/// Those that drive connections to Postgres, and a few that are cancelled and not yet gone.
const TASKS_AT_THE_END: usize = POOL + 3;

fn tasks_told(daemon: &Daemon) -> Vec<usize> {
    tasks_in(&daemon.log())
}

fn tasks_in(log: &str) -> Vec<usize> {
    let lines = log.lines().filter(|line| line.contains("tasks alive"));
    lines.filter_map(|line| line.rsplit_once("tasks=")?.1.trim().parse().ok()).collect()
}

pub fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
