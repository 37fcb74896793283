//! `paird accounts import` and `paird accounts export`: many accounts, as CSV.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::account_filter::FilterArgs;
use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::accounts_csv::{self, AddError, FILE_MAX_BYTES, Mistake};
use crate::escape::escaped;

/// Stands for stdin.
const STDIN: &str = "-";

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// CSV in UTF-8, `-` for stdin. The first line names the columns: label, and if wanted expect_phone,
    /// proxy, operator, tags and device_name.
    file: PathBuf,
    /// Only checks the file, and adds nothing.
    #[arg(long)]
    check: bool,
    /// The same file with the same key is added once, however often this is run.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// A file to write; without it stdout, where odd characters are escaped.
    file: Option<PathBuf>,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn import(database: &mut Database, format: Format, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let ImportArgs { file, check, key } = args;
    let name = file.display().to_string();
    let bytes = bytes_of(&file, &name)?;
    let rows = match accounts_csv::read(&bytes) {
        Ok(rows) => rows,
        Err(mistakes) => return Err(refused(format, &name, &mistakes)),
    };
    let added = match accounts_csv::add(&mut database.client, &rows, key.as_deref(), "cli", check).await {
        Ok(added) => added,
        Err(AddError::Mistakes(mistakes)) => return Err(refused(format, &name, &mistakes)),
        Err(AddError::Database(wrong)) => return Err(explained(wrong)),
        Err(wrong @ (AddError::KeyTaken | AddError::KeyDeleted)) => {
            return Err(failure(Exit::Usage, format!("--key: {wrong}")));
        }
    };
    let count = added.len();
    let accounts = if count == 1 { "account" } else { "accounts" };
    let words = if check { "can be added; nothing was done" } else { "added; link one with: paird pair LABEL" };
    let document = json!({ "dryRun": check, "accounts": added });
    format.tell(format_args!("{name}: {count} {accounts} {words}"), &document);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn export(database: &Database, format: Format, args: ExportArgs) -> anyhow::Result<ExitCode> {
    let filter = args.filter.read()?;
    let accounts = filter.find(&database.client, None, None).await.map_err(explained)?;
    let Some(path) = args.file else {
        out::raw(&String::from_utf8_lossy(&accounts_csv::write(&accounts, escaped)?));
        return Ok(ExitCode::SUCCESS);
    };
    let file = accounts_csv::write(&accounts, |cell| Cow::Borrowed(cell))?;
    let name = path.display().to_string();
    File::create(&path).and_then(|mut open| open.write_all(&file)).with_context(|| name.clone())?;
    let count = accounts.len();
    format.tell(format_args!("{name}: {count} accounts written"), &json!({ "file": name, "accounts": count }));
    Ok(ExitCode::SUCCESS)
}

/// No more than a file may have, and one byte that tells.
fn bytes_of(file: &PathBuf, name: &str) -> anyhow::Result<Vec<u8>> {
    let most = u64::try_from(FILE_MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == STDIN {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|why| failure(Exit::Usage, format!("{name}: {why}")))?;
    if bytes.len() > FILE_MAX_BYTES {
        return Err(failure(Exit::Usage, format!("{name}: a file has at most {FILE_MAX_BYTES} bytes: split it")));
    }
    Ok(bytes)
}

/// All mistakes on stdout, and the error in one line.
fn refused(format: Format, name: &str, mistakes: &[Mistake]) -> anyhow::Error {
    match format {
        Format::Json => out::json(&json!({ "mistakes": mistakes })),
        Format::Text => {
            for Mistake { line, column, detail } in mistakes {
                let column = column.as_ref().map(|column| format!("{column}: ")).unwrap_or_default();
                out::line(format_args!("{name}:{line}: {column}{detail}"));
            }
        }
    }
    let count = mistakes.len();
    let mistakes = if count == 1 { "mistake" } else { "mistakes" };
    failure(Exit::Usage, format!("{name} has {count} {mistakes}; nothing was added"))
}
