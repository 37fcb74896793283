//! Which of two forms a client wants.

use actix_web::{HttpRequest, http::header::ACCEPT};

/// Whether Accept names this media type, and not the other one before it.
pub(super) fn prefers(request: &HttpRequest, kind: &str, other: &str) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let rank = |kind| accept.find(kind).unwrap_or(usize::MAX);
    rank(kind) < rank(other)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_form_that_is_named_first_is_preferred() {
        for (accept, is_preferred) in
            [("a/b", true), ("a/b, c/d;q=0.5", true), ("c/d, a/b", false), ("*/*", false), ("", false)]
        {
            let request = TestRequest::default().insert_header((ACCEPT, accept)).to_http_request();
            assert_eq!(prefers(&request, "a/b", "c/d"), is_preferred, "{accept:?}");
        }
    }
}
