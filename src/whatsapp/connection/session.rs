//! One live connection, as its owner holds it.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use paird_actors::{
    connection::{Outcome, Request},
    domain::{
        Group, GroupsError, OnlineAnswer, OnlineError, OnlineOrder, PasskeyAnswer, PasskeyError, StoreError,
        UnlinkAnswer, Written,
    },
    ports::{Session, WriteKeys},
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use whatsapp_rust::{Client, request::IqError};

use super::{
    super::{
        groups,
        keys::{LinkKeys, chain, store_error},
        passkey,
    },
    Chats, Driver, DriverTask, Shell,
};

const OVER: &str = "the connection is over";

/// See [`Session`]. Dropped without [`Session::close`] it is cut: nothing more is
/// reported, sent or written, as if the process had been killed.
pub(in crate::whatsapp) struct WhatsAppSession {
    shell: Arc<Shell>,
    keys: Arc<dyn LinkKeys>,
    /// `None` on a connection that unlinks.
    chats: Option<Chats>,
    /// Nothing of the connection is left.
    over: CancellationToken,
}

impl WhatsAppSession {
    pub(in crate::whatsapp) fn start(driver: Driver, orders: Receiver<DriverTask>) -> Self {
        let (shell, keys) = (Arc::clone(&driver.shell), Arc::clone(&driver.keys));
        let chats = driver.mail.as_ref().map(|mail| mail.chats.clone());
        let over = CancellationToken::new();
        let ended = over.clone().drop_guard();
        shell.runtime.start_untracked(async move {
            driver.run(orders).await;
            drop(ended);
        });
        Self { shell, keys, chats, over }
    }

    /// Runs on the workers: a caller's thread may be an actor's, which serves others.
    async fn with_client<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Client>) -> F,
    ) -> Option<T> {
        let work = work(self.shell.client()?);
        let over = self.over.clone();
        self.shell.runtime.on_workers(async move { over.run_until_cancelled(work).await }).await.flatten()
    }

    /// Waits until the connection is over; false if it takes longer than this.
    async fn is_over_within(&self, timeout: std::time::Duration) -> bool {
        let over = self.over.clone();
        let waited = async move { tokio::time::timeout(timeout, over.cancelled()).await.is_ok() };
        self.shell.runtime.on_workers(waited).await == Some(true)
    }

    #[cfg(all(test, feature = "sandbox"))]
    pub(in crate::whatsapp) fn client(&self) -> std::sync::Weak<Client> {
        self.shell.client().map_or_else(std::sync::Weak::new, |client| Arc::downgrade(&client))
    }
}

#[async_trait]
impl Session for WhatsAppSession {
    async fn secure_keys(&self, write: WriteKeys) -> Result<Written, StoreError> {
        let Some(scan) = self.shell.awaits_keys() else {
            return Err(StoreError::Unavailable("no scan waits for its answer".to_owned()));
        };
        let keys = self.keys.clone();
        let secure = |client: Arc<Client>| async move {
            let kept = client.persistence_manager();
            kept.flush().await.map_err(|failure| store_error(&failure))?;
            // The library set number and signed identity before it built the answer
            // that is held. Written once more, whole: the background saver may have
            // been under way with an older state.
            let device = kept.get_device_snapshot();
            if device.pn.is_none() || device.account.is_none() {
                return Err(StoreError::Unavailable("the keys of the scan are not complete".to_owned()));
            }
            kept.backend().save(&device.to_serializable()).await.map_err(|failure| store_error(&failure))?;
            keys.secure(write).await
        };
        let Some(outcome) = self.with_client(secure).await else {
            return Err(StoreError::Unavailable(OVER.to_owned()));
        };
        if matches!(outcome, Ok(Written::Done { .. })) {
            self.shell.feed_outcome(Outcome::KeysDurable(scan));
        }
        outcome
    }

    async fn confirm_link(&self) {
        self.shell.feed_request(Request::Confirm);
    }

    async fn refuse_link(&self) {
        self.shell.feed_request(Request::Refuse);
    }

    async fn unlink(&self) -> UnlinkAnswer {
        self.shell.unlink().await.unwrap_or_else(|_| UnlinkAnswer::Unknown(OVER.to_owned()))
    }

    async fn groups(&self) -> Result<Vec<Group>, GroupsError> {
        let fetch = |client: Arc<Client>| async move {
            let own = [client.pn(), client.lid()].into_iter().flatten().collect();
            client.execute(groups::ListGroups { own }).await.map_err(|failure| groups_error(&failure))
        };
        self.with_client(fetch).await.unwrap_or(Err(GroupsError::ConnectionOver))
    }

    async fn ask(&self, order: OnlineOrder) -> Result<OnlineAnswer, OnlineError> {
        let Some(chats) = self.chats.clone() else { return Err(OnlineError::ConnectionOver) };
        let carry_out = |client: Arc<Client>| async move { chats.carry_out(&client, order).await };
        self.with_client(carry_out).await.unwrap_or(Err(OnlineError::ConnectionOver))
    }

    async fn answer_passkey(&self, answer: PasskeyAnswer) -> Result<(), PasskeyError> {
        let answer = match answer {
            PasskeyAnswer::Response(response) => Some(passkey::assertion(&response).map_err(PasskeyError::Malformed)?),
            PasskeyAnswer::Confirm => None,
        };
        let send = |client: Arc<Client>| async move {
            match answer {
                Some(assertion) => client.send_passkey_response(assertion).await,
                None => client.send_passkey_confirmation().await,
            }
            .map_err(|failure| PasskeyError::NotTaken(passkey::in_words(&failure)))
        };
        self.with_client(send).await.unwrap_or(Err(PasskeyError::ConnectionOver))
    }

    async fn close(&self) {
        self.shell.feed_request(Request::Close);
        if !self.is_over_within(self.shell.policy.close_timeout).await {
            self.shell.feed_request(Request::Cut);
        }
    }

    async fn cut(&self) {
        self.shell.feed_request(Request::Cut);
        // Its socket goes with its tasks.
        if !self.is_over_within(self.shell.policy.tasks_timeout).await {
            tracing::warn!(incarnation = %self.shell.incarnation, "a task of the connection did not end in time");
        }
    }
}

impl Drop for WhatsAppSession {
    fn drop(&mut self) {
        self.shell.feed_request(Request::Cut);
    }
}

fn groups_error(failure: &IqError) -> GroupsError {
    if matches!(failure, IqError::Disconnected(_)) {
        GroupsError::ConnectionOver
    } else {
        GroupsError::Failed(describe(failure))
    }
}

/// An IQ's failure, without the stanza that some of them carry.
pub(super) fn describe(failure: &IqError) -> String {
    if matches!(failure, IqError::Disconnected(_)) {
        return "the connection ended before the answer".to_owned();
    }
    chain(failure)
}
