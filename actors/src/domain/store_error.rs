use thiserror::Error;

/// Why a store operation did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Another daemon owns the account now: nothing was written, and nothing more may be.
    #[error("the account belongs to another daemon now")]
    Fenced,
    /// The row has changed since the state that the write follows, so nothing was written. The
    /// caller must start again from the row.
    #[error("the row has changed since it was read")]
    Overtaken,
    /// The database will never take this write as it is (a constraint, a trigger, a value
    /// too large): nothing was written, and trying again is of no use.
    #[error("{0}")]
    Refused(String),
    /// The stored data cannot be used (undecryptable keys); a person must look.
    #[error("{0}")]
    Poisoned(String),
    /// The database did not do it: not reachable, timed out, failed. Whether it was done is unknown.
    #[error("{0}")]
    Unavailable(String),
}
