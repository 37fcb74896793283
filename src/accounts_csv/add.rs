//! Adds the accounts of a file: all of them, or none.

use std::collections::HashMap;

use paird_sql::{
    client::Params as _,
    queries::importing::{
        AddAccountsParams, add_accounts, list_accounts_of_keys, list_labels_taken, list_numbers_taken,
    },
};
use thiserror::Error;
use tokio_postgres::{Client, IsolationLevel, Transaction, error::SqlState};
use uuid::Uuid;

use super::{ImportedRow, Mistake, NewRow};
use crate::idempotency::id_of_parts;

/// Somebody else adds accounts at the same moment.
const TRIES: usize = 5;
/// Each row is audited; a statement must end within the timeout of the connection.
const ROWS_AT_ONCE: usize = 500;

/// The reason why nothing was added.
#[derive(Debug, Error)]
pub(crate) enum AddError {
    /// By line.
    #[error("the file has {} mistakes", .0.len())]
    Mistakes(Vec<Mistake>),
    #[error("another file has this key already")]
    KeyTaken,
    #[error("accounts that were added with this key were deleted")]
    KeyDeleted,
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
}

/// Adds them in one transaction, in their order. The same rows with the same key are the same accounts,
/// as long as their rows are kept; without a key, accounts that are there already are mistakes. With
/// `only_check` it does nothing but find those.
///
/// # Errors
/// Nothing was added, for this reason.
pub(crate) async fn add(
    client: &mut Client,
    rows: &[NewRow],
    key: Option<&str>,
    source: &str,
    only_check: bool,
) -> Result<Vec<ImportedRow>, AddError> {
    let mut tries = 0;
    loop {
        tries += 1;
        // Two that add the same at once would not see each other on another level.
        let transaction = client.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
        let added = add_in(&transaction, rows, key, source, only_check).await;
        let ended = match added {
            Ok(added) => transaction.commit().await.map(|()| added).map_err(AddError::from),
            Err(wrong) => Err(wrong),
        };
        match ended {
            Err(AddError::Database(wrong)) if tries < TRIES && is_overtaken(&wrong) => {}
            ended => return ended,
        }
    }
}

/// Of two with one key, the second finds the rows of the first when it looks again.
fn is_overtaken(wrong: &tokio_postgres::Error) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION].iter().any(|code| wrong.code() == Some(code))
}

async fn add_in(
    transaction: &Transaction<'_>,
    rows: &[NewRow],
    key: Option<&str>,
    source: &str,
    only_check: bool,
) -> Result<Vec<ImportedRow>, AddError> {
    let ids: Vec<Uuid> = match key {
        Some(key) => (0..rows.len()).map(|nth| id_of_key(key, nth)).collect(),
        None => rows.iter().map(|_| Uuid::new_v4()).collect(),
    };
    let told = |is_there: bool| {
        let one = |(row, id): (&NewRow, &Uuid)| ImportedRow {
            line: row.line,
            label: row.label.clone(),
            id: is_there.then_some(*id),
        };
        rows.iter().zip(&ids).map(one).collect::<Vec<_>>()
    };
    if let Some(key) = key
        && is_done(transaction, rows, &ids, id_of_key(key, rows.len())).await?
    {
        return Ok(told(true));
    }
    let mistakes = taken(transaction, rows).await?;
    if !mistakes.is_empty() {
        return Err(AddError::Mistakes(mistakes));
    }
    if only_check {
        return Ok(told(false));
    }
    for (rows, ids) in rows.chunks(ROWS_AT_ONCE).zip(ids.chunks(ROWS_AT_ONCE)) {
        let new = AddAccountsParams {
            source,
            ids,
            operators: rows.iter().map(|row| row.operator).collect::<Vec<_>>(),
            labels: rows.iter().map(|row| row.label.as_str()).collect::<Vec<_>>(),
            phones: rows.iter().map(|row| row.phone.as_str()).collect::<Vec<_>>(),
            proxies: rows.iter().map(|row| row.proxy.as_str()).collect::<Vec<_>>(),
            device_names: rows.iter().map(|row| row.device_name.as_str()).collect::<Vec<_>>(),
            tags: rows.iter().map(|row| row.tags.join(",")).collect::<Vec<_>>(),
        };
        add_accounts().params(transaction, &new).await?;
    }
    Ok(told(true))
}

/// Whether exactly these were added with the key.
async fn is_done(transaction: &Transaction<'_>, rows: &[NewRow], ids: &[Uuid], beyond: Uuid) -> Result<bool, AddError> {
    let asked = [ids, &[beyond]].concat();
    let known = list_accounts_of_keys().bind(transaction, &asked).all().await?;
    if known.is_empty() {
        return Ok(false);
    }
    if known.iter().any(|known| known.is_deleted) {
        return Err(AddError::KeyDeleted);
    }
    let by_id: HashMap<Uuid, _> =
        known.iter().map(|known| (known.id, (known.operator_id, known.label.as_str()))).collect();
    let is_same = |(row, id): (&NewRow, &Uuid)| by_id.get(id) == Some(&(row.operator, row.label.as_str()));
    let are_same = known.len() == rows.len() && rows.iter().zip(ids).all(is_same);
    if are_same { Ok(true) } else { Err(AddError::KeyTaken) }
}

/// Rows that accounts which there are rule out.
async fn taken(transaction: &Transaction<'_>, rows: &[NewRow]) -> Result<Vec<Mistake>, tokio_postgres::Error> {
    let operators: Vec<Uuid> = rows.iter().map(|row| row.operator).collect();
    let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    let phones: Vec<&str> = rows.iter().map(|row| row.phone.as_str()).collect();
    let of = |nth: i64| usize::try_from(nth - 1).ok().and_then(|nth| rows.get(nth));
    let mut mistakes = Vec::new();
    for nth in list_labels_taken().bind(transaction, &operators, &labels).all().await? {
        let wrong = of(nth).map(|row| row.wrong_label("an account of the operator is called so already"));
        mistakes.extend(wrong);
    }
    for taken in list_numbers_taken().bind(transaction, &operators, &phones).all().await? {
        let detail = format!("the account {:?} of the operator has this number", taken.label);
        mistakes.extend(of(taken.nth).map(|row| row.wrong_phone(detail)));
    }
    mistakes.sort();
    Ok(mistakes)
}

/// Of the place in the file, too.
fn id_of_key(key: &str, nth: usize) -> Uuid {
    let nth = u64::try_from(nth).unwrap_or(u64::MAX).to_be_bytes();
    id_of_parts(&[b"paird idempotency key of a file of accounts\0", &nth, key.as_bytes()])
}
