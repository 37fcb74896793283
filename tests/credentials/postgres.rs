//! A private Postgres for one test, by the daemon's own launcher. Gone when dropped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use paird::postgres::embedded::{Embedded, Options};
use paird::postgres::migrate::migrate;
use paird::postgres::pool::Dsn;
use uuid::Uuid;

pub struct Postgres {
    pub dir: PathBuf,
    server: Option<Embedded>,
    dsn: Dsn,
}

impl Postgres {
    /// Started, with the schema.
    pub async fn start() -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&dir).unwrap();
        let server = Embedded::start_with(&dir, None, Options { fast: true }).await.unwrap();
        let dsn = Dsn::parse(&server.dsn()).unwrap();
        migrate(&dsn).await.unwrap();
        Self { dir, server: Some(server), dsn }
    }

    pub fn pool(&self) -> Pool {
        self.dsn.pool().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.take());
        // It ends by itself now; its directory can go when it has.
        let pid_file = self.dir.join("postgres/postmaster.pid");
        let deadline = Instant::now() + Duration::from_secs(10);
        while pid_file.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
