//! The race of two newcomers for one number: a unique index decides it.

use paird_actors::ports::StoreError;
use tokio_postgres::error::SqlState;

/// Times that the index may speak before the incumbent is seen, or gone.
pub(crate) const RACES: u32 = 5;

/// Whether a statement wrote nothing since another live account of the operator has the
/// number. If it was a newcomer that was faster, a second try sees it as the incumbent.
pub(crate) fn is_taken(wrong: &tokio_postgres::Error) -> bool {
    wrong.as_db_error().is_some_and(|refused| {
        *refused.code() == SqlState::UNIQUE_VIOLATION && refused.constraint() == Some("whatsapp_accounts_one_number")
    })
}

/// Nothing where the number is taken: to be asked again.
pub(crate) fn unless_taken<T>(answer: Result<T, tokio_postgres::Error>) -> Result<Option<T>, tokio_postgres::Error> {
    match answer {
        Err(wrong) if is_taken(&wrong) => Ok(None),
        other => other.map(Some),
    }
}

/// After [`RACES`] tries.
pub(crate) fn contested() -> StoreError {
    StoreError::Unavailable("the number is claimed and given up again and again".to_owned())
}
