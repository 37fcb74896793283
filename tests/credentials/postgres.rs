//! A private Postgres for one test: a cluster in a directory of its own, on a unix
//! socket. Gone when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, Pool, Runtime};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User, chown};
use tokio_postgres::{Config, NoTls};
use uuid::Uuid;

const SCHEMA: &str = include_str!("../../sql/migrations/V1__accounts_and_messages.sql");

pub struct Postgres {
    dir: PathBuf,
    server: Child,
}

impl Postgres {
    /// Started, with the schema.
    pub async fn start() -> Self {
        let dir = std::env::temp_dir().join(format!("paird-pg-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&dir).unwrap();
        if Uid::effective().is_root() {
            let nobody = User::from_name("nobody").unwrap().unwrap();
            chown(&dir, Some(nobody.uid), Some(nobody.gid)).unwrap();
        }
        let data = dir.join("data");
        let made = unprivileged("initdb", &dir)
            .args(["--no-sync", "--auth=trust", "--username=paird", "--encoding=UTF8", "--locale=C"])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = unprivileged("postgres", &dir)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(&dir)
            .spawn()
            .unwrap();
        let postgres = Self { dir, server };
        let deadline = Instant::now() + Duration::from_secs(30);
        let pool = postgres.pool();
        loop {
            match pool.get().await {
                Ok(client) => break client.batch_execute(SCHEMA).await.unwrap(),
                Err(error) => assert!(Instant::now() < deadline, "not up after 30 s: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        postgres
    }

    pub fn pool(&self) -> Pool {
        let mut config = Config::new();
        config.host_path(&self.dir).user("paird").dbname("postgres");
        Pool::builder(Manager::new(config, NoTls)).max_size(4).runtime(Runtime::Tokio1).build().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.server.id().try_into().unwrap()), Signal::SIGQUIT);
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Postgres refuses root.
fn unprivileged(program: &str, dir: &Path) -> Command {
    let program = find(program);
    let mut command = if Uid::effective().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--clear-groups", "--pdeathsig=QUIT"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn find(program: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = installed.map(|version| version.path().join("bin").join(program)).find(|path| path.exists());
    found.unwrap_or_else(|| program.into())
}
