//! A connection's view of the credential store.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use paird_actors::{
    domain::{AccountId, Fence, KeyringId, StoreError, Written},
    ports::WriteKeys,
};
use wacore::store::{CacheStore, error::StoreError as BackendError, traits::Backend};
use zeroize::Zeroizing;

use crate::credentials::{CredentialStore, KeyedDevices, Keyring, ProxyLogin, SentMessages};

/// With which later reactions to a message, and edits of it, are read.
pub type MessageSecret = Zeroizing<[u8; 32]>;

/// The source of links' keys.
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

    /// The login for the account's proxy at this address; `None` where it has none.
    async fn proxy_login(&self, account: AccountId, address: &str) -> Result<Option<ProxyLogin>, StoreError>;
}

/// The keys of one link.
#[async_trait]
pub trait LinkKeys: Send + Sync + 'static {
    /// The library's view of them; one connection at a time may use it.
    fn backend(self: Arc<Self>) -> Arc<dyn Backend>;

    /// Which opening of the keyring this is. Each one ends those before it.
    fn epoch(&self) -> i64;

    /// The library's view of which LID has which number.
    fn lids(self: Arc<Self>) -> Arc<dyn CacheStore>;

    /// Hands all that the backend was given so far, sealed, to `write`. See
    /// [`paird_actors::ports::Session::secure_keys`].
    async fn secure(&self, write: WriteKeys) -> Result<Written, StoreError>;

    /// Seals what is needed to fetch the media of the message with this id.
    fn seal_media(&self, wa_id: &str, keys: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// The histories that the phone has announced and nobody has read, by the ids of the messages
    /// that announced them.
    fn unread_histories(&self) -> BTreeMap<String, Vec<u8>>;

    /// Notes such a history, or that it needs no reading any more. It is stored with the device
    /// when the backend saves that.
    fn note_history(&self, id: &str, announced: Option<Vec<u8>>);

    /// The secret of the message that this account sends under this id: the same in every try.
    fn message_secret(&self, wa_id: &str) -> MessageSecret;

    /// While it is sent to this group, only these devices are recorded as having the group's key.
    /// `None`: all that the library says.
    fn limit_group_marks(&self, group: &str, wa_id: &str, to: Option<KeyedDevices>);

    /// Waits until everything that the backend was given, and that WhatsApp may come to
    /// rely on, is durable. Called before anything is sent.
    ///
    /// # Errors
    /// It cannot be, or not in time: nothing more may be sent.
    async fn flush_before_send(&self) -> Result<(), StoreError>;

    /// From now on the backend asks there for messages that were sent and have no copy in it.
    fn ask_for_lost_copies(&self, messages: Weak<dyn SentMessages>);

    /// Makes everything durable that the backend was given.
    ///
    /// # Errors
    /// It is not; trying again may do.
    async fn flush(&self) -> Result<(), StoreError>;

    /// Checks that the keys still belong to this daemon, so that no other one has logged in with
    /// them or is about to.
    ///
    /// # Errors
    /// They are not, or the database did not answer.
    async fn check_ownership(&self) -> Result<(), StoreError>;

    /// Deletes the copies of messages that were made before `secs` (since 1970), by former connections.
    /// Called once WhatsApp has delivered what it does not know to have arrived: all others have rows.
    ///
    /// # Errors
    /// They may still be there, for a week at most.
    async fn delete_copies_before(&self, secs: i64) -> Result<(), StoreError>;

    /// A message that was read with these keys could not be written: they are written no more, and
    /// fail for good. WhatsApp delivers the message again, and the next opening can read it.
    fn message_unwritten(&self);

    /// Waits until there is something to flush.
    async fn until_pending(&self);

    /// Waits until the keys fail for good, and says why: a connection on them must end.
    async fn failed(&self) -> StoreError;
}

#[async_trait]
impl KeySource for CredentialStore {
    async fn fresh(
        &self,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Result<Arc<dyn LinkKeys>, StoreError> {
        Ok(Self::fresh(self, account, fence, keyring))
    }

    async fn open_keyring(
        &self,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Result<Arc<dyn LinkKeys>, StoreError> {
        Ok(Self::open_keyring(self, account, fence, keyring).await?)
    }

    async fn proxy_login(&self, account: AccountId, address: &str) -> Result<Option<ProxyLogin>, StoreError> {
        Self::proxy_login(self, account, address).await
    }
}

#[async_trait]
impl LinkKeys for Keyring {
    fn backend(self: Arc<Self>) -> Arc<dyn Backend> {
        self
    }

    fn epoch(&self) -> i64 {
        Self::epoch(self)
    }

    fn lids(self: Arc<Self>) -> Arc<dyn CacheStore> {
        self
    }

    async fn secure(&self, write: WriteKeys) -> Result<Written, StoreError> {
        Self::secure(self, write).await
    }

    fn seal_media(&self, wa_id: &str, keys: &[u8]) -> Result<Vec<u8>, StoreError> {
        Self::seal_media(self, wa_id, keys)
    }

    fn unread_histories(&self) -> BTreeMap<String, Vec<u8>> {
        Self::unread_histories(self).clone()
    }

    fn note_history(&self, id: &str, announced: Option<Vec<u8>>) {
        let mut histories = Self::unread_histories(self);
        match announced {
            Some(announced) => drop(histories.insert(id.to_owned(), announced)),
            None => drop(histories.remove(id)),
        }
    }

    fn message_secret(&self, wa_id: &str) -> MessageSecret {
        Self::message_secret(self, wa_id)
    }

    fn limit_group_marks(&self, group: &str, wa_id: &str, to: Option<KeyedDevices>) {
        Self::limit_group_marks(self, group, wa_id, to);
    }

    async fn flush_before_send(&self) -> Result<(), StoreError> {
        Self::flush_before_send(self).await
    }

    fn ask_for_lost_copies(&self, messages: Weak<dyn SentMessages>) {
        Self::ask_for_lost_copies(self, messages);
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Self::flush(self).await
    }

    async fn check_ownership(&self) -> Result<(), StoreError> {
        Self::check_ownership(self).await
    }

    async fn delete_copies_before(&self, secs: i64) -> Result<(), StoreError> {
        Self::delete_copies_before(self, secs).await
    }

    fn message_unwritten(&self) {
        Self::message_unwritten(self);
    }

    async fn until_pending(&self) {
        Self::until_pending(self).await;
    }

    async fn failed(&self) -> StoreError {
        Self::failed(self).await
    }
}

/// Our error in the library's, or the library's own in our words.
pub(super) fn store_error(failure: &BackendError) -> StoreError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        match error.downcast_ref::<StoreError>() {
            Some(ours) => return ours.clone(),
            None => cause = error.source(),
        }
    }
    StoreError::Unavailable(chain(failure))
}

/// An error with its causes: the library's own text often names none.
pub(super) fn chain(failure: &dyn Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_error_comes_back_out_of_the_librarys() {
        let wrapped = BackendError::Database(Box::new(StoreError::Fenced));
        assert!(matches!(store_error(&wrapped), StoreError::Fenced));
        let foreign = BackendError::Database("disk full".into());
        assert!(matches!(store_error(&foreign), StoreError::Unavailable(why) if why.contains("disk full")));
    }
}
