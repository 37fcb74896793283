//! The pages: files that are part of the program. Their own code asks the API.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::{Path, ServiceConfig},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{Embed, EmbeddedFile};

use super::problem::Problem;

/// A release build holds them; a debug build reads them from the source, so that a change
/// is there with the next reload.
#[derive(Embed)]
#[folder = "src/console/pages"]
struct Files;

/// Every page, and what the pages are made of.
pub fn pages(app: &mut ServiceConfig) {
    app.service(fleet).service(account).service(pairing).service(door).service(part);
}

#[get("/")]
async fn fleet(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "console.html")
}

#[get("/accounts/{id}")]
async fn account(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "console.html")
}

#[get("/accounts/{id}/pair")]
async fn pairing(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "console.html")
}

#[get("/login")]
async fn door(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "login.html")
}

#[get("/static/{name}")]
async fn part(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, Problem> {
    file(&request, &name)
}

/// Kept by the browser, and asked for each time: an upgraded daemon is not seen with the
/// former one's scripts.
fn file(request: &HttpRequest, name: &str) -> Result<HttpResponse, Problem> {
    let absent = || Problem::absent(format!("the console has no file {name:?}"));
    let kind = kind(name).ok_or_else(absent)?;
    let file = Files::get(name).ok_or_else(absent)?;
    let etag = etag(&file);
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, etag)).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.content_type(kind).insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, "no-cache"));
    Ok(answer.body(file.data.into_owned()))
}

fn kind(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn etag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()))
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        test::{TestRequest, call_service, init_service},
    };

    use super::*;

    #[actix_web::test]
    async fn a_cached_file_is_not_sent_again() {
        let app = init_service(App::new().configure(pages)).await;
        let first = call_service(&app, TestRequest::get().uri("/static/base.css").to_request()).await;
        assert_eq!(first.status(), 200);
        let etag = first.headers().get(ETAG).unwrap().clone();
        for (known, status) in [(etag.to_str().unwrap(), 304), ("\"another\"", 200)] {
            let again = TestRequest::get().uri("/static/base.css").insert_header((IF_NONE_MATCH, known));
            assert_eq!(call_service(&app, again.to_request()).await.status(), status);
        }
    }

    #[actix_web::test]
    async fn nothing_but_the_pages_own_files_is_served() {
        let app = init_service(App::new().configure(pages)).await;
        for path in ["/static/none.css", "/static/..%2Fpages.rs", "/static/%2Fetc%2Fpasswd", "/static/pages.rs"] {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(answer.status(), 404, "{path}");
        }
        for path in ["/", "/login", "/accounts/x", "/accounts/x/pair"] {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(answer.headers().get("content-type").unwrap(), "text/html; charset=utf-8", "{path}");
        }
    }

    /// The policy of content forbids them, so a page that had one would be broken.
    #[test]
    fn no_page_has_inline_code_or_loads_from_elsewhere() {
        let mut pages = 0;
        for name in Files::iter() {
            assert!(kind(&name).is_some(), "{name} is of no kind that is served");
            let file = Files::get(&name).unwrap();
            let text = std::str::from_utf8(&file.data).unwrap();
            // A namespace, and how a proxy is written: nothing is asked of either.
            let rest = text.replace("http://www.w3.org/", "").replace("http://host:port", "");
            assert!(!rest.contains("http"), "{name} names an address");
            if name.ends_with(".html") {
                pages += 1;
                for inline in ["<style", "style=", "<script>", "onclick="] {
                    assert!(!text.contains(inline), "{name}: {inline}");
                }
            }
        }
        assert_eq!(pages, 2);
    }
}
