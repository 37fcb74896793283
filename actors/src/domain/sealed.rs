use super::KeyringId;

/// A keyring and its records, sealed: all of them opaque here.
#[derive(Clone)]
pub struct SealedKeys {
    pub keyring: KeyringId,
    pub wrapped_key: Vec<u8>,
    /// Which master key wraps it.
    pub master_key: String,
    pub records: Vec<SealedRecord>,
}

/// How many, and nothing of what they are.
impl std::fmt::Debug for SealedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} sealed records of keyring {}]", self.records.len(), self.keyring)
    }
}

/// One sealed record of a keyring.
#[derive(Clone)]
pub struct SealedRecord {
    pub kind: &'static str,
    pub name: String,
    pub sealed: Vec<u8>,
    /// See the column of `credentials`.
    pub stamp: i64,
}
