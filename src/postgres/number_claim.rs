//! Two accounts that claim one number at once: a unique index decides which gets it.

use paird_actors::domain::StoreError;
use tokio_postgres::error::SqlState;

/// How often the claim is tried before the other account is seen, or gone.
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
    StoreError::Unavailable(format!("gave up after {RACES} conflicts on this number"))
}
