//! What a connection needs of the credential store.

use std::sync::Arc;

use async_trait::async_trait;
use paird_actors::{
    domain::{AccountId, Fence, KeyringId, Phone},
    ports::StoreError,
};
use wacore::store::traits::Backend;

/// Where the keys of links are.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// New keys for a link that is yet to be made: in memory only, until [`LinkKeys::secure`].
    async fn fresh(
        &self,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Result<Arc<dyn LinkKeys>, StoreError>;

    /// The stored keys of a link.
    ///
    /// # Errors
    /// They could not be read. Never "there are none".
    async fn open_keyring(
        &self,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Result<Arc<dyn LinkKeys>, StoreError>;
}

/// The keys of one link.
#[async_trait]
pub trait LinkKeys: Send + Sync + 'static {
    /// The library's view of them; one connection at a time may use it.
    fn backend(&self) -> Arc<dyn Backend>;

    /// Writes all that the backend was given so far, in one transaction, and from
    /// then on each further write at once.
    async fn secure(&self, phone: &Phone, device_jid: &str) -> Result<(), StoreError>;
}
