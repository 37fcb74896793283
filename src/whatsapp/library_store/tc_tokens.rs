//! Merges of trusted contact tokens. A row has two writers, each with a field of its
//! own: the token that a contact gave us, and when we last gave ours. Those that were read lately are
//! known without a statement.

use paird_actors::domain::StoreError;
use wacore::store::traits::TcTokenEntry;

use crate::credentials::Keyring;
use crate::credentials::record_key;
use crate::credentials::records::{Entry, RecordKind, Selection};

impl Keyring {
    pub(super) async fn replace_tc_token(&self, jid: &str, token: &TcTokenEntry) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        self.write_tc_token(jid, token).await
    }

    pub(super) async fn remove_tc_token(&self, jid: &str) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let name = record_key::one(jid);
        self.tokens().forget(&name);
        self.records().await.delete(RecordKind::TcToken, Selection::Names(vec![name])).await?;
        Ok(())
    }

    /// Moves the time that our token was given forward, never back.
    pub(super) async fn advance_tc_sender(&self, jid: &str, given_at: i64) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let token = match self.read_tc_token(jid).await? {
            Some(token) => {
                let given_at = token.sender_timestamp.map_or(given_at, |known| known.max(given_at));
                TcTokenEntry { sender_timestamp: Some(given_at), ..token }
            }
            None => TcTokenEntry { token: Vec::new(), token_timestamp: given_at, sender_timestamp: Some(given_at) },
        };
        self.write_tc_token(jid, &token).await
    }

    /// Keeps the newer token; a row that has none yet takes any.
    pub(super) async fn receive_tc_token(&self, jid: &str, token: &[u8], at: i64) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let known = self.read_tc_token(jid).await?;
        if known.as_ref().is_some_and(|known| !known.token.is_empty() && at < known.token_timestamp) {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        self.write_tc_token(jid, &TcTokenEntry { token: token.to_vec(), token_timestamp: at, sender_timestamp }).await
    }

    /// Deletes rows of which neither field is alive, and says how many.
    pub(super) async fn sweep_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u64, StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let records = self.records().await;
        // Tokens with a recent stamp are certainly alive, and need not be decrypted.
        let doubtful = records.list(RecordKind::TcToken, "", token_cutoff.max(sender_cutoff)).await?;
        let mut dead = Vec::new();
        for entry in doubtful {
            let token: TcTokenEntry = entry.parse()?;
            let received = !token.token.is_empty() && token.token_timestamp >= token_cutoff;
            let given = token.sender_timestamp.is_some_and(|at| at >= sender_cutoff);
            if !received && !given {
                dead.push(entry.name);
            }
        }
        if dead.is_empty() {
            return Ok(0);
        }
        self.tokens().forget_all();
        records.delete(RecordKind::TcToken, Selection::Names(dead)).await
    }

    pub(super) async fn tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>, StoreError> {
        match self.known_tc_token(jid)? {
            Some(known) => Ok(known),
            None => {
                let _merging = self.merging.tc_tokens.lock().await;
                self.read_tc_token(jid).await
            }
        }
    }

    /// Without a statement, if it was read or written before.
    fn known_tc_token(&self, jid: &str) -> Result<Option<Option<TcTokenEntry>>, StoreError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let known = self.tokens().get(&record_key::one(jid));
        known.map(|entry| entry.map(|entry| entry.parse()).transpose()).transpose()
    }

    /// While nobody else reads or writes one.
    async fn read_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>, StoreError> {
        if let Some(known) = self.known_tc_token(jid)? {
            return Ok(known);
        }
        let name = record_key::one(jid);
        let entry = self.records().await.get(RecordKind::TcToken, &name).await?;
        self.tokens().keep(name, entry.clone());
        entry.map(|entry| entry.parse()).transpose()
    }

    /// The same.
    async fn write_tc_token(&self, jid: &str, token: &TcTokenEntry) -> Result<(), StoreError> {
        let name = record_key::one(jid);
        let entry = Entry::json(RecordKind::TcToken, name.clone(), token)?.stamped(last_alive(token));
        self.tokens().forget(&name);
        self.records().await.put(vec![entry.clone()]).await?;
        self.tokens().keep(name, Some(entry));
        Ok(())
    }
}

/// The latest cutoff at which one of the fields is alive.
fn last_alive(token: &TcTokenEntry) -> i64 {
    let received = if token.token.is_empty() { i64::MIN } else { token.token_timestamp };
    received.max(token.sender_timestamp.unwrap_or(i64::MIN))
}
