//! Merges of trusted contact tokens. A row has two writers, each with a field of its
//! own: the token that a contact gave us, and when we last gave ours. Those that a message has asked
//! for are known without a statement.

use paird_actors::domain::StoreError;
use wacore::store::traits::TcTokenEntry;

use crate::credentials::Keyring;
use crate::credentials::record_key;
use crate::credentials::records::{Entry, RecordKind, Records, Selection};

impl Keyring {
    pub(super) async fn replace_tc_token(&self, jid: &str, token: &TcTokenEntry) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        self.write(&*self.records().await, jid, token).await
    }

    pub(super) async fn remove_tc_token(&self, jid: &str) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let records = self.records().await;
        let names = vec![record_key::one(jid)];
        let _changing = Changing::begin(self, names.clone());
        records.delete(RecordKind::TcToken, Selection::Names(names)).await?;
        Ok(())
    }

    /// Moves the time that our token was given forward, never back.
    pub(super) async fn advance_tc_sender(&self, jid: &str, given_at: i64) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let records = self.records().await;
        let token = match read(&*records, jid).await? {
            Some(token) => {
                let given_at = token.sender_timestamp.map_or(given_at, |known| known.max(given_at));
                TcTokenEntry { sender_timestamp: Some(given_at), ..token }
            }
            None => TcTokenEntry { token: Vec::new(), token_timestamp: given_at, sender_timestamp: Some(given_at) },
        };
        self.write(&*records, jid, &token).await
    }

    /// Keeps the newer token; a row that has none yet takes any.
    pub(super) async fn receive_tc_token(&self, jid: &str, token: &[u8], at: i64) -> Result<(), StoreError> {
        let _merging = self.merging.tc_tokens.lock().await;
        let records = self.records().await;
        let known = read(&*records, jid).await?;
        if known.as_ref().is_some_and(|known| !known.token.is_empty() && at < known.token_timestamp) {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        let token = TcTokenEntry { token: token.to_vec(), token_timestamp: at, sender_timestamp };
        self.write(&*records, jid, &token).await
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
        let _changing = Changing::begin(self, dead.clone());
        records.delete(RecordKind::TcToken, Selection::Names(dead)).await
    }

    /// The one that a message to this person asks for.
    pub(super) async fn tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>, StoreError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let name = record_key::one(jid);
        let (known, since) = {
            let tokens = self.tokens();
            (tokens.get(&name), tokens.changes())
        };
        let entry = match known {
            Some(entry) => entry,
            None => {
                let entry = self.records().await.get(RecordKind::TcToken, &name).await?;
                self.tokens().keep(name, entry.clone(), since);
                entry
            }
        };
        entry.map(|entry| entry.parse()).transpose()
    }

    async fn write(&self, records: &dyn Records, jid: &str, token: &TcTokenEntry) -> Result<(), StoreError> {
        let entry = Entry::json(RecordKind::TcToken, record_key::one(jid), token)?.stamped(last_alive(token));
        let _changing = Changing::begin(self, vec![entry.name.clone()]);
        records.put(vec![entry]).await
    }
}

/// While it lives, these tokens are being written. What is read meanwhile is not kept.
struct Changing<'a> {
    keyring: &'a Keyring,
    names: Vec<String>,
}

impl<'a> Changing<'a> {
    fn begin(keyring: &'a Keyring, names: Vec<String>) -> Self {
        keyring.tokens().forget(&names);
        Self { keyring, names }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.keyring.tokens().forget(&self.names);
    }
}

async fn read(records: &dyn Records, jid: &str) -> Result<Option<TcTokenEntry>, StoreError> {
    let entry = records.get(RecordKind::TcToken, &record_key::one(jid)).await?;
    entry.map(|entry| entry.parse()).transpose()
}

/// The latest cutoff at which one of the fields is alive.
fn last_alive(token: &TcTokenEntry) -> i64 {
    let received = if token.token.is_empty() { i64::MIN } else { token.token_timestamp };
    received.max(token.sender_timestamp.unwrap_or(i64::MIN))
}
