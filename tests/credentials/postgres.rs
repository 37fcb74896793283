//! A private Postgres for one test. Gone when dropped.

use std::path::{Path, PathBuf};

use deadpool_postgres::Pool;
use paird::postgres::embedded::Embedded;
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
        let server = paird_testkit::postgres::start(&dir).await;
        let dsn = Dsn::parse(&server.dsn()).unwrap();
        Self { dir, server: Some(server), dsn }
    }

    pub fn pool(&self) -> Pool {
        self.dsn.pool().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.take());
        paird_testkit::postgres::remove(&self.dir);
    }
}
