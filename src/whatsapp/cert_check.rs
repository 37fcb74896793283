//! A self-test at start: does this build verify WhatsApp's certificate?
//!
//! Cargo unifies features: a production daemon that is built together with anything
//! that enables the protocol library's `danger-skip-cert-chain-verify` accepts any
//! server's certificate, and nothing in its own source shows it. So the running
//! binary is shown a forged chain, and must refuse it.

use rand::rngs::StdRng;
use thiserror::Error;
use wacore::libsignal::protocol::{CurveError, KeyPair};
use wacore::noise::HandshakeUtils;
use waproto::buffa::{Message, MessageField};
use waproto::whatsapp::CertChain;
use waproto::whatsapp::cert_chain::NoiseCertificate;
use waproto::whatsapp::cert_chain::noise_certificate::Details;

/// Why the daemon must not talk to WhatsApp.
#[derive(Debug, Error)]
pub enum CertCheckError {
    #[error(
        "this build does not verify WhatsApp's certificate: a forged one was accepted; build it without the sandbox"
    )]
    ForgeryAccepted,
    #[error("the check of WhatsApp's certificate could not be run: {0}")]
    NotRun(#[from] CurveError),
}

/// Whether a chain that everything is right about, but that WhatsApp's root key has
/// not signed, is refused. A chain that could not be made counts as accepted.
pub fn refuses_forged_chain() -> bool {
    forged_chain().is_ok_and(|forged| is_refused(&forged))
}

/// A production build must pass this before its first connection; it takes less
/// than a millisecond. A sandbox build passes always: it cannot leave loopback.
///
/// # Errors
/// The forged chain was accepted.
pub fn self_test() -> Result<(), CertCheckError> {
    if cfg!(feature = "sandbox") {
        return Ok(());
    }
    if is_refused(&forged_chain()?) { Ok(()) } else { Err(CertCheckError::ForgeryAccepted) }
}

struct ForgedChain {
    encoded: Vec<u8>,
    server_key: [u8; 32],
}

fn is_refused(forged: &ForgedChain) -> bool {
    HandshakeUtils::verify_server_cert(&forged.encoded, &forged.server_key).is_err()
}

/// Signed by a root of our own. The intermediate's signature over the leaf is a
/// good one, so the root's is all that can be refused.
fn forged_chain() -> Result<ForgedChain, CurveError> {
    let mut rng = rand::make_rng::<StdRng>();
    let [root, intermediate, server] = [(); 3].map(|()| KeyPair::generate(&mut rng));
    let server_key = public_bytes(&server);
    let intermediate_details = details(1, 0, public_bytes(&intermediate));
    let leaf_details = details(2, 1, server_key);
    let chain = CertChain {
        intermediate: MessageField::some(NoiseCertificate {
            signature: Some(root.private_key.calculate_signature(&intermediate_details, &mut rng)?.to_vec()),
            details: Some(intermediate_details),
        }),
        leaf: MessageField::some(NoiseCertificate {
            signature: Some(intermediate.private_key.calculate_signature(&leaf_details, &mut rng)?.to_vec()),
            details: Some(leaf_details),
        }),
    };
    Ok(ForgedChain { encoded: chain.encode_to_vec(), server_key })
}

fn details(serial: u32, issuer_serial: u32, key: [u8; 32]) -> Vec<u8> {
    Details {
        serial: Some(serial),
        issuer_serial: Some(issuer_serial),
        key: Some(key.to_vec()),
        not_before: Some(0),
        // The largest that every reader of the field takes: 2106.
        not_after: Some(u64::from(u32::MAX)),
    }
    .encode_to_vec()
}

fn public_bytes(pair: &KeyPair) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(pair.public_key.public_key_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "sandbox"))]
    fn a_production_build_refuses_a_forged_chain_and_proves_it() {
        assert!(refuses_forged_chain());
        self_test().unwrap();
    }

    #[test]
    #[cfg(not(feature = "sandbox"))]
    fn a_forged_chain_fails_only_by_the_roots_signature() {
        let forged = forged_chain().unwrap();
        let refusal = HandshakeUtils::verify_server_cert(&forged.encoded, &forged.server_key).unwrap_err();
        assert!(refusal.to_string().contains("intermediate signature"), "{refusal}");
    }

    #[test]
    #[cfg(feature = "sandbox")]
    fn a_sandbox_build_accepts_a_forged_chain() {
        assert!(!refuses_forged_chain());
        self_test().unwrap();
    }
}
