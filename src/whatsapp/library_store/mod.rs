//! The protocol library's storage traits over a [`Keyring`]: each file expresses one trait
//! in records of a kind and a name, and merges what the library expects to be merged.

mod app_sync;
mod device;
mod lids;
mod msg_secrets;
mod protocol;
mod signal;
mod tc_tokens;

pub(super) use protocol::SENT_KEPT_FOR;

use paird_actors::domain::StoreError;
use wacore::store::error::StoreError as LibraryError;

use crate::credentials::Keyring;
use crate::credentials::records::{Entry, RecordKind, Selection};

/// The result of the library's storage methods.
type Kept<T> = Result<T, LibraryError>;

impl Keyring {
    async fn get(&self, kind: RecordKind, name: &str) -> Kept<Option<Entry>> {
        self.records().await.get(kind, name).await.map_err(refused)
    }

    async fn value(&self, kind: RecordKind, name: String) -> Kept<Option<Vec<u8>>> {
        Ok(self.get(kind, &name).await?.map(Entry::into_value))
    }

    async fn put(&self, entry: Entry) -> Kept<()> {
        self.put_all(vec![entry]).await
    }

    async fn put_all(&self, entries: Vec<Entry>) -> Kept<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.records().await.put(entries).await.map_err(refused)
    }

    async fn remove(&self, kind: RecordKind, name: String) -> Kept<()> {
        self.delete(kind, Selection::Names(vec![name])).await?;
        Ok(())
    }

    /// How many were deleted, as the library counts.
    async fn delete(&self, kind: RecordKind, which: Selection) -> Kept<u32> {
        let gone = self.records().await.delete(kind, which).await.map_err(refused)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// Our error in the library's: it hands on the text, and the source for who looks.
fn refused(error: StoreError) -> LibraryError {
    LibraryError::Database(Box::new(error))
}
