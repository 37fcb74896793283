//! Serves the pages: files of `web`, which are part of the program and use the API.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{CACHE_CONTROL, ETAG},
    routes,
    web::{Path, ServiceConfig},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{Embed, EmbeddedFile};

use super::{
    not_modified::not_modified,
    problem::{Problem, ProblemCode},
};

/// A release build contains them; a debug build reads them from the source, so that a change
/// shows with the next reload.
#[derive(Embed)]
#[folder = "src/console/web"]
struct Files;

/// The addresses of the pages, and the files that they load.
pub fn pages(app: &mut ServiceConfig) {
    app.service(console).service(login).service(asset);
}

/// One page, whose script draws what the address asks for.
#[routes]
#[get("/")]
#[get("/overview")]
#[get("/accounts/{id}")]
#[get("/accounts/{id}/pair")]
#[get("/accounts/{id}/chats")]
#[get("/accounts/{id}/chats/{jid}")]
async fn console(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "console.html")
}

#[get("/login")]
async fn login(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "login.html")
}

#[get("/static/{path:.*}")]
async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Problem> {
    file(&request, &path)
}

/// For a person who followed a wrong address.
pub fn missing() -> HttpResponse {
    let page = Files::get("missing.html").map(|file| file.data.into_owned()).unwrap_or_default();
    HttpResponse::NotFound().content_type("text/html; charset=utf-8").body(page)
}

/// The browser keeps a file but revalidates it each time, so that an upgraded daemon is never
/// shown with the scripts of the version before.
pub(super) fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, Problem> {
    let absent = || Problem::new(ProblemCode::RouteUnknown, format!("the console has no file {path:?}"));
    let content_type = content_type(path).ok_or_else(absent)?;
    let file = Files::get(path).ok_or_else(absent)?;
    let etag = etag(&file);
    if let Some(answer) = not_modified(request, &etag) {
        return Ok(answer);
    }
    let mut answer = HttpResponse::Ok();
    answer.content_type(content_type).insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, "no-cache"));
    Ok(answer.body(file.data.into_owned()))
}

/// `None` for files that are not served: documents, types and settings of tools.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
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
        http::header::IF_NONE_MATCH,
        test::{TestRequest, call_service, init_service},
    };

    use super::*;

    const NOT_SERVED: [&str; 3] = ["README.md", "package.json", "tsconfig.json"];

    #[actix_web::test]
    async fn an_unchanged_file_is_not_sent_again() {
        let app = init_service(App::new().configure(pages)).await;
        let first = call_service(&app, TestRequest::get().uri("/static/styles/base.css").to_request()).await;
        assert_eq!(first.status(), 200);
        let etag = first.headers().get(ETAG).unwrap().clone();
        for (known, status) in [(etag.to_str().unwrap(), 304), ("\"another\"", 200)] {
            let again = TestRequest::get().uri("/static/styles/base.css").insert_header((IF_NONE_MATCH, known));
            assert_eq!(call_service(&app, again.to_request()).await.status(), status);
        }
    }

    #[actix_web::test]
    async fn only_files_of_the_pages_are_served() {
        let app = init_service(App::new().configure(pages)).await;
        let outside =
            ["/static/../pages.rs", "/static/..%2Fpages.rs", "/static/%2Fetc%2Fpasswd", "/static//etc/passwd"];
        let absent = ["/static/none.css", "/static/", "/static/styles", "/static/README.md", "/static/tsconfig.json"];
        for path in outside.into_iter().chain(absent) {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(answer.status(), 404, "{path}");
        }
        for path in [
            "/",
            "/overview",
            "/login",
            "/accounts/x",
            "/accounts/x/pair",
            "/accounts/x/chats",
            "/accounts/x/chats/1@lid",
        ] {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(answer.headers().get("content-type").unwrap(), "text/html; charset=utf-8", "{path}");
        }
    }

    /// The content security policy forbids both, so such a page would be broken.
    #[test]
    fn no_page_has_inline_code_or_foreign_addresses() {
        let mut pages = 0;
        for name in Files::iter() {
            if content_type(&name).is_none() {
                assert!(NOT_SERVED.contains(&name.as_ref()), "{name} is of no type that is served");
                continue;
            }
            let file = Files::get(&name).unwrap();
            let text = std::str::from_utf8(&file.data).unwrap();
            // A namespace and an example of a proxy: the browser loads neither.
            let rest = text.replace("http://www.w3.org/", "").replace("http://host:port", "");
            assert!(!rest.contains("http"), "{name} names an address");
            if name.ends_with(".html") {
                pages += 1;
                for inline in ["<style", "style=", "<script>", "onclick="] {
                    assert!(!text.contains(inline), "{name}: {inline}");
                }
            }
        }
        assert_eq!(pages, 4);
    }
}
