//! Answers that a client has already: it names their entity tag, and gets no body.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ETAG, IF_NONE_MATCH},
};

/// The answer without a body, if the request names this tag in `If-None-Match`.
pub(super) fn not_modified(request: &HttpRequest, etag: &str) -> Option<HttpResponse> {
    let mut headers = request.headers().get_all(IF_NONE_MATCH);
    let is_known = headers.any(|known| known.to_str().is_ok_and(|known| names(known, etag)));
    is_known.then(|| HttpResponse::NotModified().insert_header((ETAG, etag)).finish())
}

/// Whether an If-None-Match header names this tag, or any. They are compared weakly: RFC 9110, 13.1.2.
fn names(header: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_compared_weakly_and_may_name_several() {
        let etag = "W/\"tag\"";
        let strong = etag.trim_start_matches("W/");
        for header in [etag, strong, "*", &format!("\"x\" , {etag}")] {
            assert!(names(header, etag), "{header}");
        }
        for header in ["", "\"x\"", &strong.replace('"', "")] {
            assert!(!names(header, etag), "{header}");
        }
    }
}
