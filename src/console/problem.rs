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

pub const CONTENT_TYPE: &str = "application/problem+json";

/// An error, before it is written as a response.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    instance: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error, as application/problem+json.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Identifies the kind of problem; it is not an address.
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    /// The problem, and what to do about it.
    detail: &'a str,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), instance: None, headers: Vec::new() }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Well-formed, but not acceptable.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub fn absent(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// It may work in a moment.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(2)
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
}

impl Problem {
    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    fn body(&self) -> ProblemBody<'_> {
        let title = self.title();
        ProblemBody {
            kind: format!("urn:paird:problem:{}", title.to_lowercase().replace([' ', '\''], "-")),
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: self.instance.as_deref(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
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
