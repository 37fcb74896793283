//! Ids that are made of an idempotency key.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The same parts are the same id, so that whoever comes second meets the row of the first. The
/// first part says what is made, so that one key may serve for things of two kinds.
pub(crate) fn id_of_parts(parts: &[&[u8]]) -> Uuid {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another id for a key that was used would add the account a second time.
    #[test]
    fn the_id_of_a_key_never_changes() {
        let id = id_of_parts(&[b"paird idempotency key of an account\0", b"k"]);
        assert_eq!(id.to_string(), "f329b4b1-f65c-42a2-8cf3-a70786e7c8df");
        assert_eq!(id, id_of_parts(&[b"paird idempotency key of an account\0k"]));
    }
}
