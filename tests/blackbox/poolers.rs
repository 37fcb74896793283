//! A daemon whose database is behind PgBouncer, as that is set up by default.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use paird::postgres::pool::{Dsn, connection};
use paird_testkit::{Stage, until};
use serde_json::json;

/// PgBouncer's program. Without it these tests say that they were left out; in CI they fail.
fn pgbouncer() -> Option<PathBuf> {
    let found = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"].map(PathBuf::from);
    paird_testkit::found_or_left_out(found.into_iter().find(|path| path.exists()), "PgBouncer", "pgbouncer")
}

struct Pooler {
    process: Child,
    dsn: String,
}

impl Pooler {
    /// `None` without PgBouncer.
    async fn before(stage: &Stage, mode: &str) -> Option<Self> {
        let program = pgbouncer()?;
        let dir = stage.dir.join("pooler");
        std::fs::create_dir_all(&dir).unwrap();
        let config = dir.join("pgbouncer.ini");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[databases]\npaird = {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
             unix_socket_dir =\npool_mode = {mode}\n",
            stage.dsn,
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            // It refuses root, and only the server's user reaches the server's socket.
            let owner = std::fs::metadata(stage.dir.join("run")).unwrap().uid();
            let user = nix::unistd::User::from_uid(owner.into()).unwrap().unwrap();
            command.args(["-u", &user.name]);
        }
        // Opened here: a user without rights reaches nothing in the stage's directory.
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let process = command.arg(&config).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let dsn = format!("host=127.0.0.1 port={port} user=paird dbname=paird");
        until("a pooler that answers", async || {
            tokio_postgres::connect(&dsn, tokio_postgres::NoTls).await.ok().map(drop)
        })
        .await;
        Some(Self { process, dsn })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_mode_of_pgbouncer_needs_no_settings() {
    let stage = Stage::empty().await;
    let Some(pooler) = Pooler::before(&stage, "session").await else { return };
    let daemon = stage.daemon(&[("DATABASE_URL", &pooler.dsn)]).await;
    let web = &stage.web;
    let account = web.connect_account("shop", "436601000001", &stage.phones).await;
    web.does("groups.sync", account, json!({})).await;
    assert!(!daemon.log().contains("cannot LISTEN"), "{}", daemon.log());
    // Former startup options are still set.
    let pool = Dsn::parse(&pooler.dsn).unwrap().pool().unwrap();
    let session = connection(&pool).await.unwrap();
    for (setting, value) in [("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "10s")] {
        let row = session.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), value, "{setting}");
    }
    drop((session, pool));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_mode_without_prepared_statements_is_reported() {
    let stage = Stage::empty().await;
    let Some(pooler) = Pooler::before(&stage, "transaction").await else { return };
    let mut daemon = stage.daemon_starting(&[("DATABASE_URL", &pooler.dsn)]);
    let said = daemon.says("PAIRD_LISTEN_URL").await;
    assert!(said.contains("a pooler shares connections between transactions"), "{said}");
    daemon.kill().await;
    stage.finish([]).await;
}
