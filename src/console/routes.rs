//! The list of all routes, and the OpenAPI document that is generated from it.

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    get,
    http::{
        Method,
        header::{ALLOW, ContentType, HeaderValue},
    },
    web::{self, Bytes, Data},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    account_list, accounts, accounts_file, admin, asyncapi, commands, connection_settings, fleet, fleet_history,
    health, history,
    kinds::add_kinds,
    live,
    login::{self, wants_page},
    messages, metrics, pages, pairing_links,
    parameters::wrong_path,
    problem::{CONTENT_TYPE, Problem, ProblemBody, ProblemCode},
    qr, sending, setup, tags, vocabulary,
};

/// All routes except the pages.
pub fn api(config: &mut ServiceConfig<'_>) {
    config
        .service(health::alive)
        .service(health::ready)
        .service(metrics::scrape)
        .service(login::login)
        .service(login::logout)
        .service(document)
        .service(asyncapi::document)
        .service(account_list::list)
        .service(accounts_file::export)
        .service(accounts_file::import)
        .service(accounts::add)
        .service(accounts::show)
        .service(accounts::rename)
        .service(connection_settings::set_proxy)
        .service(connection_settings::forget_proxy)
        .service(connection_settings::set_device_name)
        .service(connection_settings::forget_device_name)
        .service(connection_settings::set_presence)
        .service(connection_settings::show_pace)
        .service(connection_settings::set_pace)
        .service(tags::set_tags)
        .service(tags::change_tags)
        .service(tags::desire_phone)
        .service(tags::forget_desired_phone)
        .service(qr::show)
        .service(commands::send)
        .service(commands::show)
        .service(fleet_history::commands)
        .service(fleet_history::audit)
        .service(history::events)
        .service(history::audit)
        .service(history::groups)
        .service(pairing_links::create)
        .service(pairing_links::list)
        .service(pairing_links::revoke)
        .service(messages::list)
        .service(messages::list_chats)
        .service(messages::show)
        .service(sending::send)
        .service(sending::cancel)
        .service(admin::inspect_all)
        .service(admin::inspect)
        .service(admin::restart)
        .service(admin::sweep)
        .service(admin::resync)
        .service(admin::drain)
        .service(admin::undrain)
        .service(fleet::show)
        .service(fleet::history)
        .service(setup::show)
        .service(live::follow)
        .service(vocabulary::command_schemas)
        .service(vocabulary::event_schemas);
}

/// The parts of the OpenAPI document that are not routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "paird", description = "Links WhatsApp accounts and keeps them linked."),
    components(schemas(ProblemBody)),
    modifiers(&SecuritySchemes),
    security(("token" = []), ("session" = []))
)]
pub struct ApiDoc;

/// The bearer token; the cookie is added by [`Document`], because its name depends on the token.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The console's token")).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The finished document, and which methods a path has.
pub struct Document {
    json: Bytes,
    paths: Vec<(ResourceDef, Vec<Method>)>,
}

impl Document {
    /// With the name that this console's cookie has.
    pub fn new(mut api: utoipa::openapi::OpenApi, cookie: &str) -> Self {
        let cookie = ApiKeyValue::with_description(cookie, "Set by /login; changes need the console's own origin");
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        api.components.get_or_insert_default().add_security_scheme("session", session);
        let problem = ResponseBuilder::new()
            .description("What went wrong")
            .content(CONTENT_TYPE, ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build())
            .build();
        let mut paths = Vec::new();
        for (path, item) in &mut api.paths.paths {
            let mut methods = Vec::new();
            for (method, operation) in [
                (Method::GET, &mut item.get),
                (Method::POST, &mut item.post),
                (Method::PUT, &mut item.put),
                (Method::PATCH, &mut item.patch),
                (Method::DELETE, &mut item.delete),
            ] {
                if let Some(operation) = operation {
                    let responses = &mut operation.responses.responses;
                    responses.insert("default".to_owned(), RefOr::T(problem.clone()));
                    // Functions of several files have one name; a method of a path is unique.
                    operation.operation_id = Some(format!("{}{}", method.as_str().to_lowercase(), in_one_word(path)));
                    let is_get = method == Method::GET;
                    methods.push(method);
                    // See `middleware`.
                    methods.extend(is_get.then_some(Method::HEAD));
                }
            }
            paths.push((ResourceDef::new(path.as_str()), methods));
        }
        let mut made = serde_json::to_value(&api).unwrap_or_default();
        add_kinds(&mut made);
        Self { json: Bytes::from(made.to_string()), paths }
    }

    fn methods(&self, path: &str) -> Option<&[Method]> {
        self.paths.iter().find(|(known, _)| known.is_match(path)).map(|(_, methods)| methods.as_slice())
    }
}

/// `/api/accounts/{id}/qr` → `AccountsIdQr`, `session.qr` → `SessionQr`
pub(super) fn in_one_word(path: &str) -> String {
    let words = path.trim_start_matches("/api").split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |word: &str| -> String {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    };
    words.map(capital).collect()
}

/// This document.
#[utoipa::path(tag = "fleet", responses((status = 200, body = Object, content_type = "application/json")))]
#[get("/api/openapi.json")]
async fn document(own: Data<Document>) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::json()).body(own.json.clone())
}

/// Answers a request that no route takes.
pub async fn nothing(request: HttpRequest, own: Data<Document>) -> HttpResponse {
    let Some(methods) = own.methods(request.path()) else {
        if wants_page(&request) && !request.path().starts_with("/api/") {
            return pages::missing();
        }
        return HttpResponse::from_error(absent());
    };
    let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let problem = Problem::new(ProblemCode::MethodUnknown, format!("this path takes {allowed}"));
    HttpResponse::from_error(match HeaderValue::from_str(&allowed) {
        Ok(allowed) => problem.with(ALLOW, allowed),
        Err(_) => problem,
    })
}

fn absent() -> Problem {
    Problem::new(ProblemCode::RouteUnknown, "there is nothing here; /api/openapi.json lists what is")
}

/// Answers paths that do not parse with a problem.
pub fn strict(config: &mut web::ServiceConfig) {
    config.app_data(web::PathConfig::default().error_handler(|wrong, request| wrong_path(&wrong, request).into()));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use actix_web::App;
    use utoipa_actix_web::AppExt as _;

    use super::*;

    /// The types of the pages are generated from this file.
    #[test]
    fn the_openapi_document_in_the_source_is_current() {
        let (_, api) = App::new().into_utoipa_app().openapi(ApiDoc::openapi()).configure(api).split_for_parts();
        let json = Document::new(api, "paird_session_").json;
        is_current("openapi.json", &serde_json::from_slice(&json).unwrap());
    }

    #[test]
    fn the_asyncapi_document_in_the_source_is_current() {
        is_current("asyncapi.json", &asyncapi::asyncapi());
    }

    fn is_current(name: &str, made: &serde_json::Value) {
        let current = format!("{made:#}\n");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console").join(name);
        if std::fs::read_to_string(&file).unwrap_or_default() != current {
            std::fs::write(&file, current).unwrap();
            panic!("src/console/{name} was out of date and has been written: run .ci/web types, and commit all of it");
        }
    }
}
