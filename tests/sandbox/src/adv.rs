//! ADV: how a phone vouches for a companion, and how the companion answers.
//!
//! The phone signs the companion's identity with its own; the HMAC over that,
//! under the secret in the QR, proves that the very phone which saw the QR sent
//! it. The companion countersigns, and only then the link exists.

use anyhow::{Context as _, Result, ensure};
use buffa::Message as _;
use wacore_libsignal::crypto::hmac_sha256;
use wacore_libsignal::protocol::{KeyPair, PublicKey};
use waproto::whatsapp::{
    ADVDeviceIdentity, ADVEncryptionType, ADVKeyIndexList, ADVSignedDeviceIdentity, ADVSignedDeviceIdentityHMAC,
    ADVSignedKeyIndexList,
};

const ACCOUNT_SIGNATURE: [u8; 2] = [6, 0];
const DEVICE_SIGNATURE: [u8; 2] = [6, 1];
const KEY_INDEX_SIGNATURE: [u8; 2] = [6, 2];

/// The data that a phone signed; kept to verify the countersignature.
#[derive(Debug, Clone)]
pub(crate) struct Vouched {
    details: Vec<u8>,
    account_key: [u8; 32],
    account_signature: Vec<u8>,
    companion_identity: [u8; 32],
    key_index: u32,
}

/// A deliberate mistake of a simulated phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// The account signature does not verify.
    Signature,
    /// The HMAC does not verify: the phone has not seen this QR.
    Hmac,
}

/// Makes the `<device-identity>` of a pair-success.
pub(crate) fn vouch(
    phone: &KeyPair,
    companion_identity: &[u8; 32],
    adv_secret: &[u8; 32],
    key_index: u32,
    timestamp: u64,
    flaw: Flaw,
) -> Result<(Vec<u8>, Vouched)> {
    let details = ADVDeviceIdentity {
        raw_id: Some(1),
        timestamp: Some(timestamp),
        key_index: Some(key_index),
        account_type: Some(ADVEncryptionType::E2EE),
        device_type: Some(ADVEncryptionType::E2EE),
    }
    .encode_to_vec();
    let account_key = raw(&phone.public_key)?;
    let mut signature = sign(phone, &[&ACCOUNT_SIGNATURE, &details, companion_identity])?;
    if flaw == Flaw::Signature {
        signature[0] ^= 0x01;
    }
    let signed = ADVSignedDeviceIdentity {
        details: Some(details.clone()),
        account_signature_key: Some(account_key.to_vec()),
        account_signature: Some(signature.clone()),
        device_signature: None,
    }
    .encode_to_vec();
    let mut hmac = hmac_sha256(adv_secret, &signed);
    if flaw == Flaw::Hmac {
        hmac[0] ^= 0x01;
    }
    let sealed = ADVSignedDeviceIdentityHMAC {
        details: Some(signed),
        hmac: Some(hmac.to_vec()),
        account_type: Some(ADVEncryptionType::E2EE),
    };
    let companion_identity = *companion_identity;
    let vouched = Vouched { details, account_key, account_signature: signature, companion_identity, key_index };
    Ok((sealed.encode_to_vec(), vouched))
}

/// Checks the `<device-identity>` of a pair-device-sign. Fails in words if
/// anything in it is not what the phone vouched for, or is not signed. Returns
/// the identity that others are shown, with both signatures.
pub(crate) fn verify_countersigned(identity: &[u8], key_index: &str, vouched: &Vouched) -> Result<Vec<u8>> {
    ensure!(
        key_index == vouched.key_index.to_string(),
        "pair-device-sign names key index {key_index} instead of {}",
        vouched.key_index
    );
    let signed = ADVSignedDeviceIdentity::decode_from_slice(identity).context("undecodable device identity")?;
    ensure!(signed.details.as_deref() == Some(&vouched.details), "the signed details are not the phone's");
    let account_key = signed.account_signature_key.as_deref();
    ensure!(account_key.is_none_or(|key| key == vouched.account_key), "the account key is not the phone's");
    let signature = signed.device_signature.clone().context("no device signature")?;
    let message =
        [&DEVICE_SIGNATURE, vouched.details.as_slice(), &vouched.companion_identity, &vouched.account_key].concat();
    let companion = PublicKey::from_djb_public_key_bytes(&vouched.companion_identity)?;
    ensure!(companion.verify_signature(&message, &signature), "the device signature does not verify");
    Ok(ADVSignedDeviceIdentity {
        account_signature_key: Some(vouched.account_key.to_vec()),
        account_signature: Some(vouched.account_signature.clone()),
        ..signed
    }
    .encode_to_vec())
}

/// The finished `<device-identity>` of a companion that the sandbox plays itself.
pub(crate) fn device_identity(phone: &KeyPair, companion: &KeyPair, key_index: u32, timestamp: u64) -> Result<Vec<u8>> {
    let identity = raw(&companion.public_key)?;
    let (sealed, vouched) = vouch(phone, &identity, &[0; 32], key_index, timestamp, Flaw::None)?;
    let sealed = ADVSignedDeviceIdentityHMAC::decode_from_slice(&sealed)?;
    let mut signed = ADVSignedDeviceIdentity::decode_from_slice(&sealed.details.context("nothing signed")?)?;
    let message: [&[u8]; 4] = [&DEVICE_SIGNATURE, &vouched.details, &identity, &vouched.account_key];
    signed.device_signature = Some(sign(companion, &message)?);
    Ok(signed.encode_to_vec())
}

/// The phone's signed list of the companions that it still vouches for.
pub(crate) fn key_index_list(phone: &KeyPair, valid: &[u32], timestamp: u64) -> Result<Vec<u8>> {
    let details = ADVKeyIndexList {
        raw_id: Some(1),
        timestamp: Some(timestamp),
        current_index: valid.iter().max().copied(),
        valid_indexes: valid.to_vec(),
        account_type: Some(ADVEncryptionType::E2EE),
    }
    .encode_to_vec();
    let signature = sign(phone, &[&KEY_INDEX_SIGNATURE, &details])?;
    Ok(ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature),
        account_signature_key: Some(raw(&phone.public_key)?.to_vec()),
    }
    .encode_to_vec())
}

fn sign(keys: &KeyPair, message: &[&[u8]]) -> Result<Vec<u8>> {
    Ok(keys.private_key.calculate_signature(&message.concat(), &mut rand::rng())?.to_vec())
}

fn raw(key: &PublicKey) -> Result<[u8; 32]> {
    Ok(key.public_key_bytes().try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn companion_answers(companion: &KeyPair, vouched: &Vouched) -> Vec<u8> {
        let message =
            [&DEVICE_SIGNATURE, vouched.details.as_slice(), &vouched.companion_identity, &vouched.account_key].concat();
        ADVSignedDeviceIdentity {
            details: Some(vouched.details.clone()),
            account_signature_key: Some(vouched.account_key.to_vec()),
            device_signature: Some(sign(companion, &[&message]).unwrap()),
            account_signature: None,
        }
        .encode_to_vec()
    }

    fn vouched_pair() -> (KeyPair, Vouched) {
        let (phone, companion) = (KeyPair::generate(&mut rand::rng()), KeyPair::generate(&mut rand::rng()));
        let identity = raw(&companion.public_key).unwrap();
        let (_, vouched) = vouch(&phone, &identity, &[7; 32], 3, 1_700_000_000, Flaw::None).unwrap();
        (companion, vouched)
    }

    #[test]
    fn a_countersignature_of_the_companion_verifies() {
        let (companion, vouched) = vouched_pair();
        verify_countersigned(&companion_answers(&companion, &vouched), "3", &vouched).unwrap();
    }

    #[test]
    fn a_foreign_countersignature_does_not_verify() {
        let (_, vouched) = vouched_pair();
        let stranger = KeyPair::generate(&mut rand::rng());
        let refused = verify_countersigned(&companion_answers(&stranger, &vouched), "3", &vouched).unwrap_err();
        assert_eq!(refused.to_string(), "the device signature does not verify");
    }

    #[test]
    fn a_countersignature_for_another_key_index_is_refused() {
        let (companion, vouched) = vouched_pair();
        let refused = verify_countersigned(&companion_answers(&companion, &vouched), "4", &vouched).unwrap_err();
        assert_eq!(refused.to_string(), "pair-device-sign names key index 4 instead of 3");
    }
}
