//! The QR code that is showing, as a picture.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{ETAG, VARY},
    web::{Data, Path},
};
use base64::{Engine as _, engine::general_purpose};
use paird_sql::queries::console::get_qr;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    accepted::prefers,
    not_modified::not_modified,
    parameters::Parameters,
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::qr::{QrError, modules_of};

#[derive(Clone, Copy, Deserialize, PartialEq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Png,
    Svg,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Absent: as Accept says, else png.
    #[param(inline)]
    format: Option<Format>,
}

/// The QR code to scan. 404 when none is showing.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path), Wanted), responses(
    (status = 200, content((Vec<u8> = "image/png"), (String = "image/svg+xml")),
        headers(("ETag" = String, description = "Another one for another code"))),
    (status = 304, description = "Still the code that If-None-Match names")
))]
#[get("/api/accounts/{id}/qr")]
pub async fn show(
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<Uuid>,
    wanted: Parameters<Wanted>,
) -> Result<HttpResponse, Problem> {
    let database = state.database().await?;
    let row = state.query(get_qr().bind(&database, &id).opt()).await?;
    let row = row.ok_or_else(|| {
        let detail = "no QR code is showing for this account: send account.pair, and wait for session.qr";
        Problem::new(ProblemCode::QrAbsent, detail)
    })?;
    let format = wanted.0.format.unwrap_or_else(|| accepted(&request));
    let etag = etag(&row.png, format);
    if let Some(answer) = not_modified(&request, &etag) {
        return Ok(answer);
    }
    let (kind, picture) = drawn(&row.png, format)
        .map_err(|why| Problem::new(ProblemCode::QrAbsent, format!("the picture on the row: {why}")))?;
    Ok(HttpResponse::Ok().content_type(kind).insert_header((ETAG, etag)).insert_header((VARY, "Accept")).body(picture))
}

fn drawn(png: &str, format: Format) -> Result<(&'static str, Vec<u8>), QrError> {
    Ok(match format {
        Format::Png => ("image/png", general_purpose::STANDARD.decode(png)?),
        Format::Svg => ("image/svg+xml", modules_of(png)?.svg().into_bytes()),
    })
}

/// A hash, since the content of the picture is a secret.
fn etag(png: &str, format: Format) -> String {
    let hash = Sha256::digest(png);
    let hash = general_purpose::URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default());
    match format {
        Format::Png => format!("\"{hash}-png\""),
        Format::Svg => format!("\"{hash}-svg\""),
    }
}

fn accepted(request: &HttpRequest) -> Format {
    if prefers(request, "image/svg+xml", "image/png") { Format::Svg } else { Format::Png }
}
