//! What a daemon finds out about itself and what it runs on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;
use tokio::sync::Mutex;

use super::{Finding, Way, daemons, files, keys, server, ways, whatsapp};
use crate::{
    config::Config,
    listen::known_address,
    postgres::pool::{Dsn, bounded, connection},
    vitals::{Readiness, Vitals},
};

/// How long the findings are shared by all requests.
const FRESH: Duration = Duration::from_secs(1);

/// There is one for each daemon that has a console.
pub(crate) struct OwnChecks {
    config: Config,
    dsn: Dsn,
    pool: Pool,
    vitals: Arc<Vitals>,
    last: Mutex<Option<(Instant, Vec<Finding>)>>,
}

impl OwnChecks {
    /// `dsn` and `pool` log in as the daemon.
    pub(crate) fn new(config: Config, dsn: Dsn, pool: Pool, vitals: Arc<Vitals>) -> Self {
        Self { config, dsn, pool, vitals, last: Mutex::default() }
    }

    /// How to add the first account.
    pub(crate) fn ways(&self) -> Vec<Way> {
        ways(&self.config, &self.address())
    }

    /// Each is good, or says what to do.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        // Concurrent requests wait here and share the findings.
        let mut last = self.last.lock().await;
        if let Some((at, findings)) = &*last
            && at.elapsed() < FRESH
        {
            return findings.clone();
        }
        let findings = self.look().await;
        *last = Some((Instant::now(), findings.clone()));
        findings
    }

    async fn look(&self) -> Vec<Finding> {
        // WhatsApp may take its time to answer, or not to.
        let (whatsapp, mut findings) = tokio::join!(whatsapp::look(&self.config), self.look_into_database());
        findings.extend(files::look(&self.config));
        findings.extend(whatsapp);
        findings.push(self.lease(self.vitals.readiness().await));
        findings.push(self.door());
        findings
    }

    async fn look_into_database(&self) -> Vec<Finding> {
        let database = match connection(&self.pool).await {
            Ok(database) => database,
            Err(why) => return vec![Finding::not_looked_at("database", &why.into())],
        };
        let mut findings = match bounded(server::look(&database)).await {
            Ok((_, findings)) => findings,
            Err(why) => return vec![Finding::not_looked_at("database", &why.into())],
        };
        findings.push(server::schema(&self.dsn).await);
        for (check, looked) in [
            ("keys", bounded(keys::look(&self.config, &database)).await),
            ("daemons", bounded(daemons::look(&database)).await),
        ] {
            findings.extend(looked.unwrap_or_else(|why| vec![Finding::not_looked_at(check, &why.into())]));
        }
        findings
    }

    fn lease(&self, now: Readiness) -> Finding {
        const CHECK: &str = "this daemon";
        if !now.lease {
            let advice = "wait some seconds; if it stays like that, read the daemon's log";
            return Finding::fail(CHECK, "its lease has run out: it has closed its connections", advice);
        }
        if now.draining {
            let found = "it is drained, and takes no accounts and no commands";
            return Finding::warn(CHECK, found, daemons::AFTER_DRAINING);
        }
        Finding::ok(CHECK, "its lease is live: its accounts are its own")
    }

    /// Who may reach the console.
    fn door(&self) -> Finding {
        let (address, token) = (self.address(), self.config.console_token_file.display());
        Finding::ok(
            "console",
            format!("answers on {address}, to this machine alone, and to whoever has the token in {token}"),
        )
    }

    fn address(&self) -> String {
        let address = known_address(&self.config.console_addr_file(), self.config.console_addr);
        address.map(|address| address.to_string()).unwrap_or_default()
    }
}
