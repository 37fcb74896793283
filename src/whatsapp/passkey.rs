//! The operator's passkey answer, as the library takes it.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use paird_actors::domain::Secret;
use serde_json::Value;
use whatsapp_rust::passkey::{Assertion, PasskeyError};

/// The phone waits no longer, either.
const LONGEST: Duration = Duration::from_secs(180);

/// Reads the JSON of a browser's `PublicKeyCredential`. WhatsApp wants it unchanged, and its
/// `rawId` also as bytes.
///
/// # Errors
/// The reason why it is invalid, without its content.
pub(super) fn assertion(answer: &Secret) -> Result<Assertion, &'static str> {
    let json: Value = serde_json::from_str(answer.expose()).map_err(|_| "the passkey response is not JSON")?;
    let raw_id = json
        .get("rawId")
        .or_else(|| json.get("id"))
        .and_then(Value::as_str)
        .ok_or("the passkey response has no rawId")?;
    let credential_id = BASE64_URL_SAFE_NO_PAD
        .decode(raw_id.trim_end_matches('='))
        .map_err(|_| "the passkey response's rawId is not base64url")?;
    if json.get("response").and_then(Value::as_object).is_none() {
        return Err("the passkey response has no response object");
    }
    Ok(Assertion { assertion_json: answer.expose().as_bytes().to_vec(), credential_id })
}

/// How long an operator has: what WhatsApp's options say, if they say so little.
pub(super) fn time_for(options: &Value) -> Duration {
    let options = options.get("publicKey").unwrap_or(options);
    let said = options.get("timeout").and_then(Value::as_u64).filter(|ms| *ms > 0).map(Duration::from_millis);
    said.map_or(LONGEST, |said| said.min(LONGEST))
}

/// WhatsApp's, or the library's, reason for rejecting an answer.
pub(super) fn in_words(failure: &PasskeyError) -> String {
    let failure = failure.to_string();
    failure.rsplit("iq failed: ").next().unwrap_or(&failure).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_answer_is_passed_on_as_it_is() {
        let json = r#"{"id":"AQID","rawId":"AQID","type":"public-key","response":{"signature":"AA"}}"#;
        let assertion = assertion(&Secret::new(json)).unwrap();
        assert_eq!(assertion.credential_id, [1, 2, 3]);
        assert_eq!(assertion.assertion_json, json.as_bytes());
    }

    #[test]
    fn a_wrong_answer_is_named_without_its_content() {
        for (answer, wrong) in [
            ("hush", "not JSON"),
            ("{}", "no rawId"),
            (r#"{"rawId":"hush!"}"#, "not base64url"),
            (r#"{"rawId":"AQID"}"#, "no response object"),
        ] {
            let reason = assertion(&Secret::new(answer)).unwrap_err();
            assert!(reason.contains(wrong) && !reason.contains("hush"), "{reason}");
        }
    }
}
