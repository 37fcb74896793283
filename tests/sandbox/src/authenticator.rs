//! A passkey as a phone's platform keeps it, and the server's look at what it signs:
//! WebAuthn, with ES256.

use anyhow::{Context as _, Result, anyhow, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const RP_ID: &str = "web.whatsapp.com";
const ORIGIN: &str = "https://web.whatsapp.com";
/// User present, user verified.
const FLAGS: u8 = 0b0000_0101;

pub(crate) struct Authenticator {
    credential: [u8; 16],
    key: EcdsaKeyPair,
    /// How long its owner has to answer, in milliseconds.
    timeout_ms: u64,
}

impl Authenticator {
    pub(crate) fn new(timeout_ms: u64) -> Result<Self> {
        let unspecified = |_| anyhow!("no key could be made");
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(unspecified)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random)
            .map_err(|error| anyhow!("{error}"))?;
        Ok(Self { credential: rand::random(), key, timeout_ms })
    }

    /// `PublicKeyCredentialRequestOptions`, as the server asks for an assertion.
    pub(crate) fn options(&self, challenge: &[u8]) -> Value {
        json!({
            "challenge": encoded(challenge),
            "rpId": RP_ID,
            "timeout": self.timeout_ms,
            "userVerification": "required",
            "allowCredentials": [{ "type": "public-key", "id": encoded(&self.credential) }],
        })
    }

    /// The `PublicKeyCredential` that a browser gives to the page, as JSON.
    pub(crate) fn assertion(&self, options: &Value) -> Result<Value> {
        let challenge = options.get("challenge").and_then(Value::as_str).context("options without a challenge")?;
        let seen = json!({ "type": "webauthn.get", "challenge": challenge, "origin": ORIGIN, "crossOrigin": false });
        let seen = serde_json::to_vec(&seen)?;
        let mut authenticator = Sha256::digest(RP_ID.as_bytes()).to_vec();
        authenticator.push(FLAGS);
        authenticator.extend_from_slice(&[0, 0, 0, 1]);
        let signature =
            self.key.sign(&SystemRandom::new(), &signed(&authenticator, &seen)).map_err(|_| anyhow!("cannot sign"))?;
        Ok(json!({
            "id": encoded(&self.credential),
            "rawId": encoded(&self.credential),
            "type": "public-key",
            "response": {
                "clientDataJSON": encoded(&seen),
                "authenticatorData": encoded(&authenticator),
                "signature": encoded(signature.as_ref()),
                "userHandle": null,
            },
        }))
    }

    /// Fails unless this passkey answered this challenge, for WhatsApp's own page.
    pub(crate) fn verify(&self, challenge: &[u8], credential: &[u8], assertion: &[u8]) -> Result<()> {
        let assertion: Value = serde_json::from_slice(assertion).context("the assertion is not JSON")?;
        let field = |name: &str| {
            let text = assertion.get("response").and_then(|response| response.get(name)).and_then(Value::as_str);
            decoded(text).with_context(|| format!("the assertion's {name}"))
        };
        let raw_id = decoded(assertion.get("rawId").and_then(Value::as_str))?;
        ensure!(raw_id == self.credential && credential == self.credential, "another credential");
        let (seen, authenticator) = (field("clientDataJSON")?, field("authenticatorData")?);
        let told: Value = serde_json::from_slice(&seen)?;
        ensure!(told.get("type").is_some_and(|kind| kind == "webauthn.get"), "not an assertion");
        ensure!(told.get("origin").is_some_and(|origin| origin == ORIGIN), "signed for another origin");
        ensure!(told.get("challenge").is_some_and(|asked| *asked == encoded(challenge)), "another challenge");
        let (rp, rest) = authenticator.split_at_checked(32).context("short authenticator data")?;
        ensure!(rp == Sha256::digest(RP_ID.as_bytes()).as_slice(), "signed for another relying party");
        ensure!(rest.first().is_some_and(|flags| flags & FLAGS == FLAGS), "the owner was not verified");
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.key.public_key().as_ref())
            .verify(&signed(&authenticator, &seen), &field("signature")?)
            .map_err(|_| anyhow!("the signature does not verify"))
    }
}

fn signed(authenticator: &[u8], seen: &[u8]) -> Vec<u8> {
    [authenticator, Sha256::digest(seen).as_slice()].concat()
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: Option<&str>) -> Result<Vec<u8>> {
    Ok(BASE64_URL_SAFE_NO_PAD.decode(text.context("missing")?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_verifies_for_its_challenge_and_for_no_other() {
        let passkey = Authenticator::new(60_000).unwrap();
        let assertion = passkey.assertion(&passkey.options(b"one")).unwrap().to_string();
        passkey.verify(b"one", &passkey.credential, assertion.as_bytes()).unwrap();
        passkey.verify(b"two", &passkey.credential, assertion.as_bytes()).unwrap_err();
        let other = Authenticator::new(60_000).unwrap();
        other.verify(b"one", &passkey.credential, assertion.as_bytes()).unwrap_err();
        let forged = other.assertion(&passkey.options(b"one")).unwrap().to_string();
        passkey.verify(b"one", &passkey.credential, forged.as_bytes()).unwrap_err();
    }
}
