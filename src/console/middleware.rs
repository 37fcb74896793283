//! Response middleware: the headers that every answer has, and the form of errors.

use actix_web::{
    HttpResponse,
    body::{self, BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::ResponseError as _,
    http::{
        Method,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
};

use super::{
    auth::ASSETS,
    problem::{Problem, ProblemCode},
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
                      require-trusted-types-for 'script'";

/// Answers HEAD like GET, sets the headers of every answer, and gives every error the form of a problem.
pub async fn finish<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let path = request.path().to_owned();
    // Routed as GET. The server leaves the body out by the method that came over the wire.
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = if is_bare_error(&response) { explained(response, &path) } else { response };
    if is_head && response.response().body().size() == BodySize::Stream {
        // It would be read to its end, which a live stream does not have.
        response = response.map_body(|_, _| BoxBody::new(body::None::new()));
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    if !path.starts_with(ASSETS) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// Whether the response is an error that does not have the form of a problem yet.
fn is_bare_error(response: &ServiceResponse) -> bool {
    let status = response.status();
    let is_formless = kind(response.headers()).is_none_or(|kind| kind.starts_with("text/plain"));
    (status.is_client_error() || status.is_server_error()) && (response.response().error().is_some() || is_formless)
}

fn explained(response: ServiceResponse, path: &str) -> ServiceResponse {
    let (request, response) = response.into_parts();
    let problem = match response.error().map(|error| (error, error.as_error::<Problem>())) {
        Some((_, Some(problem))) => problem.clone(),
        // The framework's own words are about the request alone.
        Some((error, None)) if response.status().is_client_error() => {
            Problem::new(ProblemCode::of_status(response.status()), error.to_string())
        }
        Some((_, None)) | None => {
            let code = ProblemCode::of_status(response.status());
            Problem::new(code, code.meaning())
        }
    };
    let mut explained: HttpResponse = problem.about(path).error_response();
    if let Some(allowed) = response.headers().get(ALLOW) {
        explained.headers_mut().insert(ALLOW, allowed.clone());
    }
    ServiceResponse::new(request, explained)
}

fn kind(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok())
}
