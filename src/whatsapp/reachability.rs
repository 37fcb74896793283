//! Checks for `doctor` whether WhatsApp can be reached from this machine.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;
use whatsapp_rust::http::HttpClient;

use super::{proxy::web, version::look_up};

const PAGE: &str = "https://web.whatsapp.com/";
const TIMEOUT: Duration = Duration::from_secs(8);

/// The server that answered, and its answer.
#[derive(Debug)]
pub struct Reached {
    pub server: String,
    /// The version of WhatsApp Web that a connection would claim to be.
    pub version: String,
    /// The server's clock, if it sent it.
    pub date: Option<DateTime<Utc>>,
}

/// Requests WhatsApp's web page, or the sandbox at `url`, without logging in.
///
/// # Errors
/// The reason, in words.
pub async fn whatsapp(url: Option<String>) -> Result<Reached, String> {
    if cfg!(feature = "sandbox") {
        let url = url.ok_or("PAIRD_WHATSAPP_URL is not set here")?;
        let server = "the sandbox".to_owned();
        let date = date_of(url.replacen("ws://", "http://", 1)).await?;
        return Ok(Reached { server, version: "any".to_owned(), date });
    }
    let date = date_of(PAGE.to_owned()).await?;
    // As a connection looks it up.
    let http: Arc<dyn HttpClient> = Arc::new(web::direct());
    let (major, minor, revision) = look_up(http, &Handle::current()).await?;
    Ok(Reached { server: "web.whatsapp.com".to_owned(), version: format!("{major}.{minor}.{revision}"), date })
}

/// Any status counts as reachable.
async fn date_of(page: String) -> Result<Option<DateTime<Utc>>, String> {
    let ask = move || {
        let config =
            ureq::Agent::config_builder().proxy(None).timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
        let answer = ureq::Agent::from(config).get(page).call().map_err(|why| why.to_string())?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map(|date| date.to_utc()))
    };
    tokio::task::spawn_blocking(ask).await.map_err(|why| why.to_string())?
}
