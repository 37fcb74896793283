//! `paird doctor`: checks everything that may be wrong, without changing anything, and says
//! what to do. A check that cannot be made is a finding, too.

mod console;
mod fleet;
pub(super) mod init;
mod rights;
mod server;

use std::process::ExitCode;

use serde_json::json;

use super::database::{Database, explained};
use super::exit::Exit;
use super::out::{self, Format};
use super::progress;
use crate::checks::{Finding, Level, daemons, files, keys, summary, whatsapp, worst};
use crate::config::Config;

pub(super) async fn run(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    let spinner = progress::spinner("looking");
    let findings = look(config, format).await;
    spinner.finish_and_clear();
    let worst = worst(&findings);
    match format {
        Format::Json => {
            out::json(&json!({ "worst": worst, "findings": findings }));
        }
        Format::Text => {
            for finding in &findings {
                out::raw(&finding.to_string());
            }
            out::line(summary(&findings));
        }
    }
    let exit = if worst == Level::Fail { Exit::Failed } else { Exit::Done };
    Ok(ExitCode::from(exit.code()))
}

async fn look(config: &Config, format: Format) -> Vec<Finding> {
    // WhatsApp may take its time to answer, or not to.
    let (whatsapp, mut findings) = tokio::join!(whatsapp::look(config), async {
        let mut findings = files::look(config);
        match Database::connect_as_daemon(config, format).await {
            Ok(database) => look_into(config, &database, &mut findings).await,
            Err(away) => findings.push(server::away(config, &away)),
        }
        findings.push(console::look(config).await);
        findings
    });
    findings.extend(whatsapp);
    findings
}

async fn look_into(config: &Config, database: &Database, findings: &mut Vec<Finding>) {
    let is_readable = match server::look(config, database).await {
        Ok((found, is_readable)) => {
            findings.extend(found);
            is_readable
        }
        Err(why) => return findings.push(Finding::not_looked_at("database", &why)),
    };
    if !is_readable {
        return;
    }
    findings.push(server::schema(config).await);
    findings.extend(collected("keys", keys::look(config, &database.client).await.map_err(explained)));
    findings.extend(collected("daemons", daemons::look(&database.client).await.map_err(explained)));
    findings.extend(collected("accounts", fleet::accounts(database).await));
    findings.extend(collected("orphans", fleet::orphans(database).await));
    findings.extend(collected("queues", fleet::queues(database).await));
    findings.extend(collected("consumers", fleet::consumers(database).await));
}

fn collected(check: &'static str, looked: anyhow::Result<Vec<Finding>>) -> Vec<Finding> {
    looked.unwrap_or_else(|why| vec![Finding::not_looked_at(check, &why)])
}
