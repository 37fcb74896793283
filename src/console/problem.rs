//! Errors as RFC 9457 problem details.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

pub use super::problem_code::ProblemCode;
use super::vocabulary;

pub const CONTENT_TYPE: &str = "application/problem+json";
const USUAL_RETRY_S: u32 = 2;
/// Longer than any name that there is.
const NAME_MAX_CHARS: usize = 60;

/// An error, before it is written as a response.
#[derive(Clone, Debug)]
pub struct Problem {
    code: ProblemCode,
    detail: String,
    field: Option<String>,
    instance: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error, as application/problem+json.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// `urn:paird:problem:` and the code; it is not an address.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'a str,
    status: u16,
    #[schema(schema_with = vocabulary::problem_code)]
    code: &'a str,
    /// The problem, and what to do about it.
    detail: &'a str,
    /// What was wrong, if it was one thing: the path of a field in the body, such as `args.phone`, or
    /// the name of a query parameter, of a part of the path or of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
}

impl Problem {
    /// Whoever gets a 503 may try again.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let problem = Self { code, detail: detail.into(), field: None, instance: None, headers: Vec::new() };
        if code.status() == StatusCode::SERVICE_UNAVAILABLE { problem.retry_after(USUAL_RETRY_S) } else { problem }
    }

    /// A field of the body, by its path, that cannot have its value.
    pub fn argument(field: &str, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::ArgumentInvalid, detail).field(field)
    }

    /// A query parameter, or a part of the path, that cannot have its value.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::ParameterInvalid, detail).field(name)
    }

    /// A stranger may have chosen the name: a long one is cut.
    #[must_use]
    pub fn field(mut self, name: &str) -> Self {
        self.field = Some(shortened(name));
        self
    }

    pub fn retry_after(self, seconds: u32) -> Self {
        self.with(actix_web::http::header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn about(mut self, path: &str) -> Self {
        self.instance = Some(path.to_owned());
        self
    }

    pub(super) fn body(&self) -> ProblemBody<'_> {
        ProblemBody {
            kind: format!("urn:paird:problem:{}", self.code.as_str()),
            title: self.code.meaning(),
            status: self.code.status().as_u16(),
            code: self.code.as_str(),
            detail: &self.detail,
            field: self.field.as_deref(),
            instance: self.instance.as_deref(),
        }
    }
}

/// A name that came with a request, as an answer repeats it.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(NAME_MAX_CHARS).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for header in self.headers.iter().cloned() {
            response.insert_header(header);
        }
        response.content_type(CONTENT_TYPE);
        response.body(serde_json::to_vec(&self.body()).unwrap_or_default())
    }
}
