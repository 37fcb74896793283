//! The list of accounts: whole or in pages, filtered, as JSON.

use actix_web::{HttpRequest, HttpResponse, get, http::header::ETAG, web::Data};
use base64::{Engine as _, engine::general_purpose};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    account_view::Account,
    db::with_timeout,
    not_modified::not_modified,
    parameters::unknown_parameter,
    problem::{Problem, ProblemCode},
    state::AppState,
    vocabulary,
};
use crate::account_filter::{AccountCursor, AccountFilter};

const LARGEST_PAGE: usize = 500;

/// The criteria of a list, as the document shows them; [`AccountFilter`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the filter reads the query; this describes it")]
pub struct AccountCriteria {
    /// Only accounts with one of these statuses: repeated, or with commas between them.
    #[param(schema_with = vocabulary::statuses, required = false)]
    status: Vec<String>,
    /// Only accounts whose reason begins with one of these words: repeated, or with commas between them.
    #[param(schema_with = vocabulary::reason_words, required = false)]
    reason: Vec<String>,
    /// Only the accounts of this operator.
    operator: Option<Uuid>,
    /// Only accounts that this daemon runs: the id of its process, its host, or `host:pid`.
    #[param(max_length = 2000)]
    daemon: Option<String>,
    /// Only accounts with this proxy, as it is shown; `none` for those that connect directly.
    #[param(max_length = 2000)]
    proxy: Option<String>,
    /// Only accounts with all of these tags, in whatever case: repeated, or with commas between them.
    tag: Option<Vec<String>>,
    /// Only accounts with this text in their label, reason or a tag, whose id begins with it (four
    /// characters or more), or with these digits in a number of theirs, in whatever way it is written.
    #[param(max_length = 2000)]
    q: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `Page::add` reads")]
struct AccountPage {
    /// At most so many accounts; without it, all of them.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The part of a list that is asked for.
#[derive(Default)]
struct Page {
    limit: Option<usize>,
    after: Option<AccountCursor>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Accounts {
    /// In order of creation.
    accounts: Vec<Account>,
    /// The `cursor` of the next page; null if there is none. Whatever is added, renamed or deleted between
    /// two pages, no other account is missed or comes twice.
    next_cursor: Option<String>,
}

/// Lists the accounts that are not deleted.
#[utoipa::path(tag = "accounts",
    params(AccountCriteria, AccountPage,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer")),
    responses(
        (status = 200, body = Accounts, headers(("ETag" = String, description = "Another one for another answer"))),
        (status = 304, description = "The answer is still the one that If-None-Match names")
    ))]
#[get("/api/accounts")]
pub async fn list(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut page = Page::default();
    let filter = read(&request, |name, value| page.add(name, value))?;
    if page.after.is_some() && page.limit.is_none() {
        return Err(Problem::parameter("cursor", "cursor needs a limit"));
    }
    // One more than asked for says whether there is a next page.
    let most = page.limit.and_then(|limit| i64::try_from(limit + 1).ok());
    let database = state.database().await?;
    let found = with_timeout(filter.find(&database, page.after, most)).await?;
    let mut rows = found.map_err(|wrong| state.problem_of(&wrong))?;
    drop(database);
    let mut next_cursor = None;
    if let Some(limit) = page.limit.filter(|limit| rows.len() > *limit) {
        rows.truncate(limit);
        next_cursor = rows.last().map(|last| AccountCursor::behind(last).to_string());
    }
    let accounts = Accounts { accounts: rows.into_iter().map(Account::from).collect(), next_cursor };
    let body = serde_json::to_vec(&accounts).map_err(|why| Problem::new(ProblemCode::Internal, why.to_string()))?;
    let etag = weak_etag(&body);
    if let Some(answer) = not_modified(&request, &etag) {
        return Ok(answer);
    }
    Ok(HttpResponse::Ok().content_type("application/json").insert_header((ETAG, etag)).body(body))
}

/// The criteria in a query; `other` takes what is none of them, and says whether it is known.
pub fn read(
    request: &HttpRequest,
    mut other: impl FnMut(&str, &str) -> Result<bool, Problem>,
) -> Result<AccountFilter, Problem> {
    let mut filter = AccountFilter::default();
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        let is_criterion = filter.add(&name, &value).map_err(|wrong| Problem::parameter(&name, wrong.to_string()))?;
        if !is_criterion && !other(&name, &value)? {
            return Err(unknown_parameter(&name));
        }
    }
    Ok(filter)
}

impl Page {
    fn add(&mut self, name: &str, value: &str) -> Result<bool, Problem> {
        let is_first = match name {
            "limit" => {
                let limit = value.parse::<usize>().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
                let limit = limit.ok_or_else(|| Problem::parameter(name, format!("limit is 1 to {LARGEST_PAGE}")))?;
                self.limit.replace(limit).is_none()
            }
            "cursor" => {
                let cursor = AccountCursor::parse(value);
                let cursor =
                    cursor.ok_or_else(|| Problem::parameter(name, "cursor is not the nextCursor of a page"))?;
                self.after.replace(cursor).is_none()
            }
            _ => return Ok(false),
        };
        if is_first { Ok(true) } else { Err(Problem::parameter(name, format!("{name} is given twice"))) }
    }
}

/// Weak, since a proxy may compress the body.
fn weak_etag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    let hash = general_purpose::URL_SAFE_NO_PAD.encode(hash.get(..18).unwrap_or_default());
    format!("W/\"{hash}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_list_has_another_tag() {
        let etag = weak_etag(b"{}");
        assert!(etag.starts_with("W/\"") && etag != weak_etag(b"[]"));
    }
}
