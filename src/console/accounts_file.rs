//! Accounts as a file: written, and read to add many at once.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, get,
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, HeaderValue},
    },
    post,
    web::{Data, Payload, ReqData},
};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use super::{
    account_list::{AccountCriteria, read},
    auth::Caller,
    commands::{idempotency_key, key_deleted, key_taken},
    db::{with_timeout, within},
    json_body::all_of,
    parameters::unknown_parameter,
    problem::{CONTENT_TYPE, Problem, ProblemBody, ProblemCode},
    state::AppState,
};
use crate::accounts_csv::{self, AddError, FILE_MAX_BYTES, ImportedRow, MISTAKES_LISTED, Mistake};

/// 10,000 rows take some seconds.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `is_dry_run` reads")]
struct ImportOptions {
    /// Only checks the file, and adds nothing.
    #[param(rename = "dryRun", default = false)]
    dry_run: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportedAccounts {
    /// Nothing was added.
    dry_run: bool,
    /// In the order of the file.
    accounts: Vec<ImportedRow>,
}

/// The mistakes of a file, as application/problem+json. Nothing of the file was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportProblem<'a> {
    #[serde(flatten)]
    problem: ProblemBody<'a>,
    mistake_count: usize,
    /// By line; at most 1,000 of them.
    mistakes: Vec<Mistake>,
}

/// The accounts that are not deleted as CSV, in UTF-8. The columns `label`, `expect_phone`, `proxy`,
/// `operator`, `tags` and `device_name` are those of a file that adds accounts. A cell that begins with
/// `=`, `+`, `-` or `@` has an apostrophe in front, so that no spreadsheet computes it.
#[utoipa::path(tag = "accounts", params(AccountCriteria),
    responses((status = 200, body = String, content_type = "text/csv")))]
#[get("/api/accounts.csv")]
pub async fn export(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let filter = read(&request, |_, _| Ok(false))?;
    let database = state.database().await?;
    let rows = with_timeout(filter.find(&database, None, None)).await?;
    let rows = rows.map_err(|wrong| state.problem_of(&wrong))?;
    drop(database);
    let file = accounts_csv::write(&rows, |cell| Cow::Borrowed(cell))
        .map_err(|why| Problem::new(ProblemCode::Internal, why.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"accounts.csv\"")))
        .body(file))
}

/// Adds the accounts of a CSV file: all of them, or none if there is a mistake in the file. Its first line
/// names the columns, separated by commas: `label`, and if wanted `expect_phone`, `proxy` (without a login),
/// `operator`, `tags` (separated by commas) and `device_name`. At most 10,000 rows and 5 MiB. A label that
/// another account of the operator has is a mistake.
#[utoipa::path(tag = "accounts",
    request_body(content = String, content_type = "text/csv"),
    params(ImportOptions, ("Idempotency-Key" = Option<String>, Header,
            description = "The same key again is the same accounts, as long as their rows are kept", max_length = 200)),
    responses(
        (status = 201, body = ImportedAccounts),
        (status = 200, body = ImportedAccounts, description = "The file could be imported"),
        (status = 422, body = ImportProblem, content_type = "application/problem+json")
    ))]
#[post("/api/accounts/import")]
pub async fn import(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let dry_run = is_dry_run(&request)?;
    let key = idempotency_key(&request)?;
    if !request.mime_type().is_ok_and(|mime| mime.is_some_and(|mime| mime.essence_str() == "text/csv")) {
        return Err(Problem::new(ProblemCode::ContentTypeUnknown, "send CSV, with Content-Type: text/csv")
            .field("Content-Type"));
    }
    let file = all_of(payload, FILE_MAX_BYTES, &format!("a file has at most {FILE_MAX_BYTES} bytes: split it")).await?;
    let rows = match accounts_csv::read(&file) {
        Ok(rows) => rows,
        Err(mistakes) => return Ok(refusal(&request, mistakes)),
    };
    let mut database = state.database().await?;
    let added = within(IMPORT_TIMEOUT, accounts_csv::add(&mut database, &rows, key, caller.source(), dry_run)).await?;
    drop(database);
    let accounts = match added {
        Ok(accounts) => accounts,
        Err(AddError::Mistakes(mistakes)) => return Ok(refusal(&request, mistakes)),
        Err(wrong @ AddError::KeyTaken) => return Err(key_taken(wrong)),
        Err(wrong @ AddError::KeyDeleted) => return Err(key_deleted(wrong)),
        Err(AddError::Database(wrong)) => return Err(state.problem_of(&wrong)),
    };
    state.feed.wake();
    let status = if dry_run { StatusCode::OK } else { StatusCode::CREATED };
    Ok(HttpResponse::build(status).json(ImportedAccounts { dry_run, accounts }))
}

fn is_dry_run(request: &HttpRequest) -> Result<bool, Problem> {
    let mut dry_run = None;
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "dryRun" {
            return Err(unknown_parameter(&name));
        }
        let value = value.parse().map_err(|_| Problem::parameter("dryRun", "dryRun is true or false"))?;
        if dry_run.replace(value).is_some() {
            return Err(Problem::parameter("dryRun", "dryRun is given twice"));
        }
    }
    Ok(dry_run.unwrap_or(false))
}

fn refusal(request: &HttpRequest, mut mistakes: Vec<Mistake>) -> HttpResponse {
    let mistake_count = mistakes.len();
    let first = mistakes.first();
    let first = first.map(|Mistake { line, column, detail }| match column {
        Some(column) => format!("line {line}, {column}: {detail}"),
        None => format!("line {line}: {detail}"),
    });
    let detail = format!(
        "nothing was added: the file has {mistake_count} mistake{}; the first is in {}",
        if mistake_count == 1 { "" } else { "s" },
        first.unwrap_or_default()
    );
    mistakes.truncate(MISTAKES_LISTED);
    let code = ProblemCode::FileWithMistakes;
    let problem = Problem::new(code, detail).about(request.path());
    let body = ImportProblem { problem: problem.body(), mistake_count, mistakes };
    HttpResponse::build(code.status()).content_type(CONTENT_TYPE).body(serde_json::to_vec(&body).unwrap_or_default())
}
