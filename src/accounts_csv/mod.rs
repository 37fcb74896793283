//! Accounts as CSV: written for people and spreadsheets, and read to add many at once.
//!
//! A file is checked as a whole before anything is done, and is then carried out in one transaction.
//! No login of a proxy goes in or out.

mod add;
mod read;
mod write;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use add::{AddError, add};
pub(crate) use read::{NewRow, read};
pub(crate) use write::write;

/// Bytes that a file has at most.
pub(crate) const FILE_MAX_BYTES: usize = 5 * 1024 * 1024;
/// Rows that a file has at most, without its header.
pub(crate) const ROWS_MAX: usize = 10_000;
/// Mistakes of a file that are listed; more are counted.
pub(crate) const MISTAKES_LISTED: usize = 1_000;

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct Mistake {
    /// The line in the file on which the row begins; the header is on line 1.
    pub(crate) line: u64,
    /// The column; null if it is about the row or the file.
    pub(crate) column: Option<String>,
    /// What is wrong, and what to do about it. Values from the file are not repeated at length.
    pub(crate) detail: String,
}

/// A row of a file, and the account that it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ImportedRow {
    pub(crate) line: u64,
    pub(crate) label: String,
    /// Null if the file was only checked.
    pub(crate) id: Option<Uuid>,
}
