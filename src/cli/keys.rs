//! `paird keys`: the master key, and what is sealed with it.

use std::num::NonZeroU32;
use std::process::ExitCode;

use clap::Subcommand;
use paird_sql::queries::keyrings;
use serde_json::json;

use super::database::{Database, explained};
use super::out::{self, Format};
use super::progress;
use crate::config::Config;
use crate::credentials::seal::MasterKeys;
use crate::credentials::{Rotated, Rotation, RotationError, find_unopenable};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Makes a new master key and seals every account's keys with it; daemons may run.
    ///
    /// Cut off anywhere, it goes on when it is run again. With daemons on several
    /// machines: run it with --prepare, copy the key file to each, run it without, and
    /// copy again.
    Rotate {
        /// Only puts the new key into the file, in front of the old one.
        #[arg(long)]
        prepare: bool,
        /// How many keyrings are resealed in one statement.
        #[arg(long, default_value = "200", value_name = "COUNT")]
        batch: NonZeroU32,
    },
    /// Says which keys the file holds and how many keyrings are sealed with each.
    ///
    /// Tries every keyring, and names the accounts whose keys do not open. Exit code 1 if
    /// there is one, or if the file lacks a key that something is sealed with.
    Status,
}

pub(super) async fn run(config: &Config, format: Format, command: KeysCommand) -> anyhow::Result<ExitCode> {
    let database = Database::connect_as_daemon(config, format).await?;
    match command {
        KeysCommand::Rotate { prepare, batch } => rotate(config, format, &database, prepare, batch).await,
        KeysCommand::Status => status(config, format, &database).await,
    }
}

async fn rotate(
    config: &Config,
    format: Format,
    database: &Database,
    prepare: bool,
    batch: NonZeroU32,
) -> anyhow::Result<ExitCode> {
    let rotation = Rotation::new(&database.client, &config.master_key_file, batch);
    let file = config.master_key_file.display();
    if prepare {
        let Rotated { key, .. } = rotation.prepare().await.map_err(in_words)?;
        let words = format!("{file} holds the new key {key} beside the old one; run paird keys rotate to use it");
        format.tell(words, &json!({ "file": config.master_key_file, "key": key, "prepared": true }));
        return Ok(ExitCode::SUCCESS);
    }
    let counted = keyrings::count_keyrings_by_master_key().bind(&database.client).all().await.map_err(explained)?;
    let total = counted.iter().map(|row| u64::try_from(row.keyrings).unwrap_or(0)).sum();
    let bar = progress::bar(total, "resealing keyrings");
    let rotated = rotation.run(|keyrings| bar.set_position(keyrings)).await;
    bar.finish_and_clear();
    let Rotated { key, resumed, keyrings } = rotated.map_err(in_words)?;
    let begun = if resumed { "continued a rotation that was cut off; " } else { "" };
    let done = format!("{begun}{keyrings} keyrings resealed; {file} now holds only key {key}");
    let document = json!({ "file": config.master_key_file, "key": key, "resumed": resumed, "keyrings": keyrings });
    format.tell(done, &document);
    Ok(ExitCode::SUCCESS)
}

async fn status(config: &Config, format: Format, database: &Database) -> anyhow::Result<ExitCode> {
    let counted = keyrings::count_keyrings_by_master_key().bind(&database.client).all().await.map_err(explained)?;
    let file = MasterKeys::read(&config.master_key_file)?;
    let unopenable = match &file {
        Some(keys) => find_unopenable(&database.client, keys).await.map_err(explained)?,
        None => Vec::new(),
    };
    let in_file: Vec<&str> = file.iter().flat_map(MasterKeys::ids).collect();
    let mut keys: Vec<(&str, &str, i64)> = Vec::new();
    for (place, id) in in_file.iter().enumerate() {
        let keyrings = counted.iter().find(|row| row.master_key == **id).map_or(0, |row| row.keyrings);
        keys.push((id, if place == 0 { "newest" } else { "old" }, keyrings));
    }
    let missing = counted.iter().filter(|row| !in_file.contains(&row.master_key.as_str()));
    keys.extend(missing.map(|row| (row.master_key.as_str(), "missing", row.keyrings)));
    let is_whole = unopenable.is_empty() && keys.iter().all(|(_, state, _)| *state != "missing");
    if format == Format::Json {
        let keys: Vec<_> =
            keys.iter().map(|(id, state, keyrings)| json!({"id": id, "state": state, "keyrings": keyrings})).collect();
        let unopenable: Vec<_> = unopenable
            .iter()
            .map(|one| json!({"keyring": one.keyring, "account": one.account, "label": one.label}))
            .collect();
        let rotating = in_file.len() > 1;
        let file = &config.master_key_file;
        out::json(&json!({"file": file, "keys": keys, "rotating": rotating, "unopenable": unopenable}));
    } else {
        let rows: Vec<_> = keys
            .iter()
            .map(|(id, state, keyrings)| vec![(*id).to_owned(), (*state).to_owned(), keyrings.to_string()])
            .collect();
        out::raw(&out::table(&["KEY", "IN THE FILE", "KEYRINGS"], &rows));
        if in_file.len() > 1 {
            format.remark("a rotation is not over: paird keys rotate goes on with it");
        }
        for one in unopenable {
            let (label, account) = (one.label, one.account);
            format.remark(format_args!(
                "the keys of {label:?} (account {account}) do not open: put that account's rows of a backup back, or delete the account"
            ));
        }
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_words(error: RotationError) -> anyhow::Error {
    match error {
        RotationError::Database(error) => explained(error),
        other @ (RotationError::KeyFile(_)
        | RotationError::NoFile(_)
        | RotationError::Busy
        | RotationError::Foreign { .. }
        | RotationError::Unopenable(_)
        | RotationError::Seal(_)
        | RotationError::Interrupted(_)) => other.into(),
    }
}
