//! Commands that are sent and waited for: cancel, unpair, resume, delete.

use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use paird_actors::domain::CommandKind;
use paird_sql::queries::cli::ListedAccount;
use serde_json::{Value, json};

use super::database::Database;
use super::out::{self, Format};
use crate::config::Config;

/// Sends it, waits, prints the result; an error if the daemon says that it failed.
pub(super) async fn ask(
    config: &Config,
    format: Format,
    wanted: &str,
    kind: CommandKind,
    args: Value,
) -> anyhow::Result<ExitCode> {
    let database = Database::listening(config, format).await?;
    let account = database.account(wanted).await?;
    send(&database, format, &account, kind, &args).await
}

/// Sends a command to an account that was looked up, and reports how it ended.
pub(super) async fn send(
    database: &Database,
    format: Format,
    account: &ListedAccount,
    kind: CommandKind,
    args: &Value,
) -> anyhow::Result<ExitCode> {
    let (command, result) =
        database.ask(kind.as_str(), account.id, args).await.map_err(|why| why.context(account.label.clone()))?;
    let document = json!({
        "accountId": account.id, "label": account.label, "kind": kind, "commandId": command, "result": result,
    });
    format.tell(format_args!("{}: {result}", account.label), &document);
    Ok(ExitCode::SUCCESS)
}

/// `paird delete`: asks first, since it cannot be undone.
pub(super) async fn delete(config: &Config, format: Format, wanted: &str, yes: bool) -> anyhow::Result<ExitCode> {
    let database = Database::listening(config, format).await?;
    let account = if yes { database.account_exactly(wanted).await? } else { database.account(wanted).await? };
    if !yes && !confirmed(&account.label)? {
        out::line("not deleted");
        return Ok(ExitCode::FAILURE);
    }
    send(&database, format, &account, CommandKind::Delete, &json!({})).await
}

fn confirmed(label: &str) -> anyhow::Result<bool> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "cannot ask for confirmation to delete {label:?}: stdin is not a terminal; give --yes"
    );
    // Beside the answer to a program, not in it.
    let mut err = io::stderr().lock();
    write!(err, "delete {label:?} and unlink it from its phone? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
