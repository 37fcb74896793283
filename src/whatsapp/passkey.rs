//! The operator's passkey answer, as the library takes it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use paird_actors::domain::Secret;
use serde_json::Value;
use whatsapp_rust::passkey::Assertion;

/// Reads the JSON of a browser's `PublicKeyCredential`: WhatsApp wants it as it
/// is, and its `rawId` once more as bytes.
///
/// # Errors
/// What is wrong with it, without its content.
pub(super) fn assertion(answer: &Secret) -> Result<Assertion, String> {
    let json: Value =
        serde_json::from_str(answer.expose()).map_err(|_| "the passkey response is not JSON".to_owned())?;
    let raw_id = json
        .get("rawId")
        .or_else(|| json.get("id"))
        .and_then(Value::as_str)
        .ok_or("the passkey response has no rawId")?;
    let credential_id = BASE64_URL_SAFE_NO_PAD
        .decode(raw_id.trim_end_matches('='))
        .map_err(|_| "the passkey response's rawId is not base64url")?;
    if json.get("response").and_then(Value::as_object).is_none() {
        return Err("the passkey response has no response object".to_owned());
    }
    Ok(Assertion { assertion_json: answer.expose().as_bytes().to_vec(), credential_id })
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
