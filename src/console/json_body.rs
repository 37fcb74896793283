//! A strict extractor for JSON bodies.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    web::{self, Bytes},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Problem, ProblemCode, shortened};

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
                return Err(Problem::new(ProblemCode::ContentTypeUnknown, detail).field("Content-Type"));
            }
            let payload =
                payload.await.map_err(|wrong| Problem::new(ProblemCode::BodyUnreadable, wrong.to_string()))?;
            let too_large = format!("a body has at most {LIMIT} bytes");
            read(&all_of(payload, LIMIT, &too_large).await?).map(Self)
        })
    }
}

/// The whole body, of at most so many bytes.
pub async fn all_of(payload: web::Payload, limit: usize, too_large: &str) -> Result<Bytes, Problem> {
    match in_time(payload.to_bytes_limited(limit)).await? {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(wrong)) => Err(Problem::new(ProblemCode::BodyUnreadable, format!("the body cannot be read: {wrong}"))),
        Err(_) => Err(Problem::new(ProblemCode::BodyTooLarge, too_large)),
    }
}

/// Limits the time in which a body must arrive.
pub async fn in_time<T>(reading: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(TIMEOUT, reading).await.map_err(|_| {
        let detail = format!("the body did not come within {} seconds", TIMEOUT.as_secs());
        Problem::new(ProblemCode::BodyTooSlow, detail)
    })
}

/// The parser's message is safe to return: it names a field or a line, and quotes a value
/// only if it is of the wrong type, which no secret is.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|wrong| Problem::new(ProblemCode::BodyUnreadable, format!("the body is not JSON: {wrong}")))?;
    if let Some(path) = null_character(&value) {
        return Err(Problem::argument(path.trim_start_matches('.'), "a text has a null character"));
    }
    if !value.is_object() {
        return Err(Problem::new(ProblemCode::ArgumentInvalid, "the body is not a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|wrong| {
        let (path, words) = (wrong.path().to_string(), wrong.inner().to_string());
        match named_by(&words, &path) {
            (code @ ProblemCode::ArgumentInvalid, Some(name)) => {
                Problem::new(code, format!("{}: {words}", shortened(&name))).field(&name)
            }
            (code, Some(name)) => Problem::new(code, words).field(&name),
            (code, None) => Problem::new(code, words),
        }
    })
}

/// What serde's error is about: the place where it happened, or the field that its words name, which
/// are the same for every format.
pub fn named_by(words: &str, path: &str) -> (ProblemCode, Option<String>) {
    let path = if path == "." { "" } else { path };
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let quoted = |begin: &str| words.strip_prefix(begin)?.split('`').next();
    if let Some(name) = quoted("missing field `") {
        return (ProblemCode::ArgumentMissing, Some(below(name)));
    }
    if let Some(name) = quoted("duplicate field `") {
        return (ProblemCode::ArgumentInvalid, Some(below(name)));
    }
    let code = match quoted("unknown field `") {
        Some(_) => ProblemCode::ArgumentUnknown,
        None => ProblemCode::ArgumentInvalid,
    };
    (code, Some(path.to_owned()).filter(|path| !path.is_empty()))
}

/// The path to a text with a null character, which Postgres cannot store.
fn null_character(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(n, item)| Some(format!("[{n}]{}", null_character(item)?)))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let below = if name.contains('\0') { String::new() } else { null_character(value)? };
            Some(format!(".{name}{below}"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_null_character_is_found_at_every_depth_and_in_names() {
        assert_eq!(null_character(&serde_json::json!({"a": [0, {"b": "x\0"}]})).unwrap(), ".a[1].b");
        assert_eq!(null_character(&serde_json::json!({"a": {"b\0": 1}})).unwrap(), ".a.b\0");
        assert_eq!(null_character(&serde_json::json!({"a": ["0", 0, null]})), None);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "it is read to see what is said of it")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "it is read to see what is said of it")]
        count: u8,
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        for (body, code, field) in [
            (r#"{"inner": 7}"#, "argument-invalid", "inner"),
            (r#"{"inner": [{"count": 1}, {"count": "x"}]}"#, "argument-invalid", "inner[1].count"),
            (r#"{"inner": [{}]}"#, "argument-missing", "inner[0].count"),
            (r#"{"inner": [{"count": 1, "more": 2}]}"#, "argument-unknown", "inner[0].more"),
            (r#"{"outer": 1}"#, "argument-unknown", "outer"),
            ("{}", "argument-missing", "inner"),
        ] {
            let problem = serde_json::to_value(read::<Outer>(body.as_bytes()).unwrap_err().body()).unwrap();
            assert_eq!((&problem["code"], &problem["field"]), (&code.into(), &field.into()), "{body}: {problem}");
        }
    }
}
