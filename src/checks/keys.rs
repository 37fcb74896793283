//! Whether the master key file opens what is sealed.

use paird_actors::domain::{AccountId, KeyringId};
use paird_sql::{client::GenericClient, queries::keyrings as sql};
use uuid::Uuid;

use super::Finding;
use crate::config::Config;
use crate::credentials::seal::MasterKeys;

/// Keyrings that are read at once.
const BATCH: i64 = 500;
const CHECK: &str = "master key";

pub(crate) async fn look<C: GenericClient>(
    config: &Config,
    database: &C,
) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let file = config.master_key_file.display();
    let keys = match MasterKeys::read(&config.master_key_file) {
        Ok(keys) => keys,
        Err(why) => {
            return Ok(vec![Finding::fail(CHECK, why.to_string(), "the daemon does not start before it can be read")]);
        }
    };
    let mut tally = Tally::default();
    let mut after = Uuid::nil();
    loop {
        // No key has an empty name, so this is every keyring.
        let batch = sql::list_keyrings_to_rewrap().bind(database, &"", &after, &BATCH).all().await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        for row in &batch {
            let key = keys.as_ref().and_then(|keys| keys.find(&row.master_key));
            match key.map(|key| key.unwrap(AccountId(row.account_id), KeyringId(row.id), &row.wrapped_key)) {
                Some(Ok(_)) => tally.open += 1,
                Some(Err(_)) => tally.broken += 1,
                None => tally.foreign += 1,
            }
        }
    }
    let finding = match (keys, tally) {
        (None, Tally { foreign: 0, .. }) => {
            Finding::ok(CHECK, format!("none yet, and nothing is sealed: the daemon makes {file}"))
        }
        (None, Tally { foreign, .. }) => Finding::fail(
            CHECK,
            format!("{file} is not there, and {foreign} keyrings are sealed"),
            "put the file back from its backup, or set PAIRD_MASTER_KEY_FILE; without it every account must be paired again",
        ),
        (Some(_), Tally { foreign, .. }) if foreign > 0 => Finding::fail(
            CHECK,
            format!("{foreign} keyrings are sealed with a key that {file} does not hold"),
            "put the file of this database back; paird keys status says which key it is",
        ),
        (Some(_), Tally { broken, .. }) if broken > 0 => Finding::fail(
            CHECK,
            format!("{broken} keyrings do not open with their key: they were changed"),
            "restore the database from a backup, or delete those accounts and pair them again",
        ),
        (Some(keys), Tally { open, .. }) if keys.ids().len() > 1 => Finding::warn(
            CHECK,
            format!("{file} opens all {open} keyrings, and a rotation is not over"),
            "paird keys rotate goes on with it",
        ),
        (Some(_), Tally { open: 0, .. }) => {
            Finding::ok(CHECK, format!("{file} can be used, and nothing is sealed yet"))
        }
        (Some(_), Tally { open, .. }) => Finding::ok(CHECK, format!("{file} opens all {open} keyrings")),
    };
    Ok(vec![finding])
}

#[derive(Clone, Copy, Default)]
struct Tally {
    open: u64,
    broken: u64,
    foreign: u64,
}
