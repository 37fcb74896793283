//! One live connection, as its owner holds it.

use std::{
    future::Future,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    domain::{Group, PasskeyAnswer},
    ports::{Session, StoreError, UnlinkAnswer, WriteKeys, Written},
};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use wacore::iq::{devices::RemoveCompanionDeviceSpec, groups::GroupParticipatingIq};
use whatsapp_rust::{Client, request::IqError};

use super::{
    admission::Gate,
    close::Signs,
    groups,
    keys::{LinkKeys, chain, store_error},
    life::Life,
    passkey,
    runtime::SessionRuntime,
    voice::Voice,
};

/// WhatsApp ends the stream of a removed device; that can overtake the answer.
const GONE_PATIENCE: Duration = Duration::from_secs(3);
/// Longer than a connection's own patience with each step of its closing.
const CLOSE_PATIENCE: Duration = Duration::from_secs(16);
/// Until the tasks of a connection that was cut have stopped.
const CUT_TIMEOUT: Duration = Duration::from_secs(2);

/// See [`Session`]. Dropped without [`Session::close`] it is cut: nothing more is
/// said, sent or written, as if the process had been killed.
pub(super) struct WhatsAppSession {
    /// Weak: when the life is over nothing of the client remains, whoever still holds this.
    client: Weak<Client>,
    keys: Arc<dyn LinkKeys>,
    voice: Arc<Voice>,
    gate: Arc<Gate>,
    signs: Arc<Signs>,
    runtime: SessionRuntime,
    secured: Arc<AtomicBool>,
    stop: CancellationToken,
    over: CancellationToken,
    life: AbortHandle,
}

impl WhatsAppSession {
    pub(super) fn start(life: Life) -> Self {
        let keys = life.keys.clone();
        let client = Arc::downgrade(&life.client);
        let (voice, gate) = (life.voice.clone(), life.gate.clone());
        let (signs, runtime, stop) = (life.signs.clone(), life.runtime.clone(), life.stop.clone());
        let over = CancellationToken::new();
        let ended = over.clone().drop_guard();
        let life = runtime.start_untracked(async move {
            life.live().await;
            drop(ended);
        });
        Self { client, keys, voice, gate, signs, runtime, secured: Arc::default(), stop, over, life }
    }

    /// Runs on the workers: a caller's thread may be an actor's, which serves others.
    async fn with_client<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Client>) -> F,
    ) -> Option<T> {
        let client = self.client.upgrade()?;
        let over = self.over.clone();
        let work = work(client);
        self.runtime.on_workers(async move { over.run_until_cancelled(work).await }).await.flatten()
    }

    #[cfg(all(test, feature = "sandbox"))]
    pub(super) fn client(&self) -> Weak<Client> {
        self.client.clone()
    }
}

#[async_trait]
impl Session for WhatsAppSession {
    async fn secure_keys(&self, write: WriteKeys) -> Result<Written, StoreError> {
        if !self.gate.is_held() {
            return Err(StoreError::Unavailable("no scan waits for its answer".to_owned()));
        }
        let keys = self.keys.clone();
        let secure = |client: Arc<Client>| async move {
            let kept = client.persistence_manager();
            kept.flush().await.map_err(|failure| store_error(&failure))?;
            // The library set number and signed identity before it built the answer
            // that the gate holds. Written once more, whole: the background saver
            // may have been under way with an older state.
            let device = kept.get_device_snapshot();
            if device.pn.is_none() || device.account.is_none() {
                return Err(StoreError::Unavailable("the keys of the scan are not complete".to_owned()));
            }
            kept.backend().save(&device.to_serializable()).await.map_err(|failure| store_error(&failure))?;
            keys.secure(write).await
        };
        match self.with_client(secure).await {
            Some(outcome) => {
                self.secured.fetch_or(matches!(outcome, Ok(Written::Done { .. })), Ordering::Release);
                outcome
            }
            None => Err(StoreError::Unavailable("the connection is over".to_owned())),
        }
    }

    async fn confirm_link(&self) {
        if !self.secured.load(Ordering::Acquire) {
            tracing::error!(incarnation = %self.voice.incarnation(), "a link was to be confirmed without its keys; refused");
            self.gate.refuse();
        } else if !self.gate.confirm() {
            tracing::info!(incarnation = %self.voice.incarnation(), "the link was confirmed too late");
        }
    }

    async fn refuse_link(&self) {
        self.gate.refuse();
    }

    async fn unlink(&self) -> UnlinkAnswer {
        let signs = self.signs.clone();
        let unlink = |client: Arc<Client>| async move {
            let Some(own) = client.pn() else {
                return UnlinkAnswer::Unknown("not linked".to_owned());
            };
            let answer = client.execute(RemoveCompanionDeviceSpec::new(&own)).await;
            match answer {
                Ok(()) => UnlinkAnswer::Gone("whatsapp confirmed the removal".to_owned()),
                Err(failure) => match signs.logged_out(GONE_PATIENCE).await {
                    Some(raw) => UnlinkAnswer::Gone(raw),
                    None => UnlinkAnswer::Unknown(in_words(&failure)),
                },
            }
        };
        match self.with_client(unlink).await {
            Some(answer) => answer,
            // The end of the stream may have ended all of it meanwhile.
            None => match self.signs.logged_out(Duration::ZERO).await {
                Some(raw) => UnlinkAnswer::Gone(raw),
                None => UnlinkAnswer::Unknown("the connection is over".to_owned()),
            },
        }
    }

    async fn groups(&self) -> Result<Vec<Group>, String> {
        let fetch = |client: Arc<Client>| async move {
            let listed = client.execute(GroupParticipatingIq::new()).await.map_err(|failure| in_words(&failure))?;
            let own: Vec<_> = [client.pn(), client.lid()].into_iter().flatten().collect();
            Ok(listed.groups.iter().map(|listed| groups::group(listed, &own)).collect())
        };
        self.with_client(fetch).await.unwrap_or_else(|| Err("the connection is over".to_owned()))
    }

    async fn answer_passkey(&self, answer: PasskeyAnswer) -> Result<(), String> {
        let answer = match answer {
            PasskeyAnswer::Response(response) => Some(passkey::assertion(&response)?),
            PasskeyAnswer::Confirm => None,
        };
        let send = |client: Arc<Client>| async move {
            match answer {
                Some(assertion) => client.send_passkey_response(assertion).await,
                None => client.send_passkey_confirmation().await,
            }
            .map_err(|failure| passkey::in_words(&failure))
        };
        self.with_client(send).await.unwrap_or_else(|| Err("the connection is over".to_owned()))
    }

    async fn close(&self) {
        self.voice.silence();
        self.gate.refuse_held();
        self.stop.cancel();
        let over = self.over.clone();
        let closed = async move { tokio::time::timeout(CLOSE_PATIENCE, over.cancelled()).await.is_ok() };
        if self.runtime.on_workers(closed).await != Some(true) {
            self.sever();
        }
    }

    async fn cut(&self) {
        self.voice.silence();
        self.gate.refuse_held();
        self.sever();
        // Its socket goes with its tasks.
        let over = self.over.clone();
        let gone = async move { tokio::time::timeout(CUT_TIMEOUT, over.cancelled()).await.is_ok() };
        if self.runtime.on_workers(gone).await != Some(true) {
            tracing::warn!(incarnation = %self.voice.incarnation(), "a task of the connection did not end in time");
        }
    }
}

impl WhatsAppSession {
    fn sever(&self) {
        self.runtime.cut();
        self.life.abort();
    }
}

impl Drop for WhatsAppSession {
    fn drop(&mut self) {
        self.voice.silence();
        self.gate.refuse_held();
        self.sever();
    }
}

/// An IQ's failure, without the stanza that some of them carry.
fn in_words(failure: &IqError) -> String {
    if matches!(failure, IqError::Disconnected(_)) {
        return "the connection ended before the answer".to_owned();
    }
    chain(failure)
}
