//! A strict extractor for JSON bodies.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::StatusCode, web};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;

/// Enough for a passkey's answer, which has a few kilobytes, and for everything smaller.
const USUAL_LIMIT: usize = 64 * 1024;
/// One that drips in holds its connection no longer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON object of at most `LIMIT` bytes that deserializes to `T`, without unknown fields if `T`
/// denies them.
pub struct JsonBody<T, const LIMIT: usize = USUAL_LIMIT>(pub T);

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest for JsonBody<T, LIMIT> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request.mime_type().is_ok_and(|mime| {
            mime.is_some_and(|mime| mime.subtype() == "json" || mime.suffix().is_some_and(|suffix| suffix == "json"))
        });
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                let detail = "send JSON, with Content-Type: application/json";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
            }
            let payload = payload.await.map_err(|wrong| Problem::malformed(wrong.to_string()))?;
            let bytes = match in_time(payload.to_bytes_limited(LIMIT)).await? {
                Ok(Ok(bytes)) => bytes,
                Ok(Err(wrong)) => return Err(Problem::malformed(format!("the body cannot be read: {wrong}"))),
                Err(_) => {
                    let detail = format!("a body has at most {LIMIT} bytes");
                    return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
                }
            };
            read(&bytes).map(Self)
        })
    }
}

/// Limits the time in which a body must arrive.
pub async fn in_time<T>(reading: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(TIMEOUT, reading).await.map_err(|_| {
        let detail = format!("the body did not come within {} seconds", TIMEOUT.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
    })
}

/// The parser's message is safe to return: it names a field or a line, and quotes a value
/// only if it is of the wrong type, which no secret is.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|wrong| Problem::malformed(format!("the body is not JSON: {wrong}")))?;
    if has_null_character(&value) {
        return Err(Problem::refused("a text has a null character"));
    }
    if !value.is_object() {
        return Err(Problem::refused("the body is not a JSON object"));
    }
    serde_json::from_value(value).map_err(|wrong| Problem::refused(wrong.to_string()))
}

/// Postgres cannot store it.
fn has_null_character(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_null_character),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_null_character(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_character_is_found_at_every_depth_and_in_names() {
        assert!(has_null_character(&serde_json::json!({"a": [{"b": "x\0"}]})));
        assert!(has_null_character(&serde_json::json!({"a": {"b\0": 1}})));
        assert!(!has_null_character(&serde_json::json!({"a": ["0", 0, null]})));
    }
}
