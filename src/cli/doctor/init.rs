//! `paird init`: whether paird can run here, and what to do next. It changes nothing and can be asked at any time.

use std::path::Path;
use std::process::ExitCode;

use nix::unistd::{AccessFlags, access};
use paird_sql::queries::cli::{self, ListedAccount};
use serde_json::{Value, json};

use super::server;
use crate::checks::{FIRST_ACCOUNT, Finding, Level, files, worst};
use crate::cli::accounts::quoted;
use crate::cli::database::{Database, explained};
use crate::cli::exit::Exit;
use crate::cli::out::{self, Format};
use crate::config::{Config, embedded_postgres};
use crate::postgres::embedded;

/// A command to type next, and what it does.
struct Step {
    command: String,
    what: &'static str,
}

/// What the database knows of the fleet.
struct Fleet {
    accounts: Vec<ListedAccount>,
    daemons: i64,
}

pub(in crate::cli) async fn run(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    let mut findings = machine(config);
    let fleet = database(config, format, &mut findings).await;
    let is_broken = worst(&findings) == Level::Fail;
    let next = if is_broken { vec![step("paird init".to_owned(), "again, when that is mended")] } else { next(&fleet) };
    match format {
        Format::Json => {
            let next: Vec<Value> =
                next.iter().map(|step| json!({ "command": step.command, "what": step.what })).collect();
            out::json(&json!({ "findings": findings, "next": next }));
        }
        Format::Text => {
            for finding in &findings {
                out::raw(&finding.to_string());
            }
            out::line("next:");
            for Step { command, what } in &next {
                out::line(format_args!("  {command:<34} {what}"));
            }
        }
    }
    Ok(ExitCode::from(if is_broken { Exit::Failed } else { Exit::Done }.code()))
}

fn machine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![match config.clone().for_daemon() {
        Ok(_) => Finding::ok("settings", "every setting can be used (paird help serve lists them)"),
        Err(wrong) => Finding::fail("settings", wrong.to_string(), "correct that first"),
    }];
    findings.push(directory(&config.data_dir));
    if config.data_dir.is_dir() {
        // Whether there is a cluster yet is told with the database.
        findings.extend(files::look(config).into_iter().filter(|finding| finding.check != "embedded"));
    }
    if !config.master_key_file.exists() {
        let found = format!("{} is made at the first start: keep a copy of it then", config.master_key_file.display());
        findings.push(Finding::ok("key file", found));
    }
    findings
}

fn directory(dir: &Path) -> Finding {
    let shown = dir.display();
    let Some(there) = dir.ancestors().find(|path| path.exists()) else {
        return Finding::fail("directory", format!("{shown} has no parent"), "set PAIRD_DATA_DIR");
    };
    match access(there, AccessFlags::W_OK) {
        Ok(()) if there == dir => Finding::ok("directory", format!("{shown} can be written to")),
        Ok(()) => Finding::ok("directory", format!("{shown} is made at the first start")),
        Err(why) => {
            let advice = "run it as the daemon's user, or set PAIRD_DATA_DIR to a directory of your own";
            Finding::fail("directory", format!("{}: {}", there.display(), why.desc()), advice)
        }
    }
}

async fn database(config: &Config, format: Format, findings: &mut Vec<Finding>) -> Fleet {
    let nothing = Fleet { accounts: Vec::new(), daemons: 0 };
    if config.database_url.is_none() && !config.embedded_dsn_file().exists() {
        findings.push(match embedded::programs(&embedded_postgres(config.postgres_bin.clone())) {
            Ok(bin) => Finding::ok("database", format!("a private one, which paird serve runs with {}", bin.display())),
            Err(why) => Finding::fail("database", why.to_string(), "or set DATABASE_URL to a Postgres that there is"),
        });
        return nothing;
    }
    let database = match Database::connect_as_daemon(config, format).await {
        Ok(database) => database,
        Err(why) => {
            findings.push(server::away(config, &why));
            return nothing;
        }
    };
    // Tables that are not there yet are made by the first start.
    match server::look(config, &database).await {
        Ok((found, true)) => findings.extend(found),
        Ok((found, false)) => {
            findings.extend(found.into_iter().filter(|finding| finding.check != "schema"));
            return nothing;
        }
        Err(why) => findings.push(Finding::not_looked_at("database", &why)),
    }
    match fleet(&database).await {
        Ok(fleet) => fleet,
        Err(why) => {
            findings.push(Finding::not_looked_at("accounts", &why));
            nothing
        }
    }
}

async fn fleet(database: &Database) -> anyhow::Result<Fleet> {
    let accounts = database.accounts().await?;
    let daemons = cli::count_daemons().bind(&database.client).one().await.map_err(explained)?.live;
    Ok(Fleet { accounts, daemons })
}

fn step(command: String, what: &'static str) -> Step {
    Step { command, what }
}

fn next(fleet: &Fleet) -> Vec<Step> {
    let mut next = Vec::new();
    if fleet.daemons == 0 {
        next.push(step("paird serve".to_owned(), "in a terminal of its own, or: systemctl enable --now paird"));
    }
    let linked = fleet.accounts.iter().find(|account| account.phone_number.is_some());
    match (linked, fleet.accounts.first()) {
        (Some(linked), _) => {
            next.push(step("paird watch".to_owned(), "the fleet, live"));
            next.push(step(format!("paird messages {} --follow", quoted(&linked.label)), "what people write to it"));
        }
        (None, Some(first)) => {
            next.push(step(format!("paird pair {}", quoted(&first.label)), "draws the QR that the phone scans"));
        }
        (None, None) => {
            next.extend(FIRST_ACCOUNT.map(|(command, what)| step(command.to_owned(), what)));
        }
    }
    next.push(step("paird console".to_owned(), "where the pages are that show the same in a browser"));
    next.push(step("paird doctor".to_owned(), "when something is odd"));
    next
}
