//! One reader per kind of value. Each error says what would be right; none repeats a secret.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use paird_actors::domain::{Refuse, Secret};
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::{DatabaseUrl, LogFormat};
use crate::postgres::notify_lane::NotifyCommands;
use crate::postgres::outbox::EventPayload;
use crate::postgres::pool::{Dsn, DsnError};
use crate::whatsapp::ProxyAllow;

/// Postgres cuts longer identifiers, and two names might become one.
const CHANNEL_MAX_BYTES: usize = 63;
/// Longer names are cut on the phone's screen.
const DEVICE_NAME_MAX_CHARS: usize = 40;
const CONNECT_RATE_MAX: u32 = 10_000;
const GROUPS_REFRESH_MIN: Duration = Duration::from_secs(5);
const GROUPS_REFRESH_MAX: Duration = Duration::from_hours(30 * 24);
const LEASE_TTL_MIN: Duration = Duration::from_secs(2);
const KEEP_MIN: Duration = Duration::from_secs(24 * 3600);
/// Within what Postgres knows as a time.
const KEEP_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
/// The limit in sql/migrations.
const KEEP_BODIES_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const LEASE_TTL_MAX: Duration = Duration::from_secs(600);

pub(super) fn channel(text: &str) -> Result<String, String> {
    let mut letters = text.chars();
    let starts_well = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    if !starts_well || !letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(format!("{text:?} is not a channel name: a-z, 0-9 and _, not starting with a digit"));
    }
    if text.len() > CHANNEL_MAX_BYTES {
        return Err(format!("is {} bytes long; a channel name has at most {CHANNEL_MAX_BYTES}", text.len()));
    }
    Ok(text.to_owned())
}

/// The driver's own message may quote a part of the password, so it is not passed on.
pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !is_url && text.contains("://") {
        return Err("does not start with postgres:// or postgresql://".to_owned());
    }
    match Dsn::parse(text) {
        Ok(_) => Ok(DatabaseUrl(Secret::new(text))),
        Err(DsnError::Tls(wrong)) => Err(wrong),
        Err(DsnError::Dsn(_)) => Err("is not a connection string that can be read; give \
                                      postgres://USER:PASSWORD@HOST:5432/DATABASE, special characters percent-encoded"
            .to_owned()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("is zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!("{text:?} is not a duration such as 90s, 5m or 1h 30m")),
    }
}

pub(super) fn connect_rate(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(rate) if rate <= CONNECT_RATE_MAX => Ok(rate),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a number of connections a second, 0 to {CONNECT_RATE_MAX}")),
    }
}

/// Shorter ones end in a database that is only slow; longer ones leave accounts alone for long.
pub(super) fn lease_ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration(text)?;
    if ttl < LEASE_TTL_MIN || ttl > LEASE_TTL_MAX {
        return Err(format!("{text:?} is not between 2s and 10m"));
    }
    Ok(ttl)
}

/// Each refresh asks WhatsApp for the whole list.
pub(super) fn groups_refresh(text: &str) -> Result<Duration, String> {
    let refresh = duration(text)?;
    if refresh < GROUPS_REFRESH_MIN || refresh > GROUPS_REFRESH_MAX {
        return Err(format!("{text:?} is not between 5s and 30d"));
    }
    Ok(refresh)
}

/// At least a day, which the database enforces.
pub(super) fn keep(text: &str) -> Result<Duration, String> {
    let kept = duration(text).map_err(|_| format!("{text:?} is not a duration such as 7d or 2months"))?;
    if kept < KEEP_MIN || kept > KEEP_MAX {
        return Err(format!("{text:?} is not between 1d and 100years"));
    }
    Ok(kept)
}

pub(super) fn keep_bodies(text: &str) -> Result<Duration, String> {
    let kept = keep(text)?;
    if kept > KEEP_BODIES_MAX {
        return Err(format!("{text:?} is not between 1d and 30d"));
    }
    Ok(kept)
}

pub(super) fn keep_audit(text: &str) -> Result<Option<Duration>, String> {
    if text == "forever" {
        return Ok(None);
    }
    keep(text).map(Some).map_err(|wrong| format!("{wrong}, nor forever"))
}

/// Whether it is sent again.
pub(super) fn resend(text: &str) -> Result<bool, String> {
    match text {
        "always" => Ok(true),
        "never" => Ok(false),
        _ => Err("is neither \"always\" nor \"never\"".to_owned()),
    }
}

pub(super) fn refuse(text: &str) -> Result<Refuse, String> {
    match text {
        "before-link" => Ok(Refuse::BeforeLink),
        "after-link" => Ok(Refuse::AfterLink),
        _ => Err(format!("{text:?} is neither before-link nor after-link")),
    }
}

pub(super) fn notify_commands(text: &str) -> Result<NotifyCommands, String> {
    match text {
        "verified" => Ok(NotifyCommands::Verified),
        "open" => Ok(NotifyCommands::Open),
        "off" => Ok(NotifyCommands::Off),
        _ => Err(format!("{text:?} is none of verified, open and off")),
    }
}

pub(super) fn event_payload(text: &str) -> Result<EventPayload, String> {
    match text {
        "full" => Ok(EventPayload::Full),
        "wake" => Ok(EventPayload::Wake),
        _ => Err(format!("{text:?} is neither full nor wake")),
    }
}

pub(super) fn console_messages(text: &str) -> Result<bool, String> {
    match text {
        "send" => Ok(true),
        "read" => Ok(false),
        _ => Err(format!("{text:?} is neither send nor read")),
    }
}

pub(super) fn console_addr(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    match text.parse::<SocketAddr>() {
        Ok(addr) if addr.ip().is_loopback() => Ok(Some(addr)),
        Ok(addr) => Err(format!("{} is not a loopback address; reach the console through a tunnel", addr.ip())),
        Err(_) => Err(format!("{text:?} is neither an address and port such as 127.0.0.1:8088 nor off")),
    }
}

/// It may be reached from outside: there is nothing on it that needs a token.
/// The origin of an address, without a slash at its end.
pub(super) fn link_url(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an address such as https://pair.example.com, without a path");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_nobodys = url.username().is_empty() && url.password().is_none();
    let is_loopback = match url.host().ok_or_else(wrong)? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    match url.scheme() {
        "https" | "http" if !is_origin || !is_nobodys => Err(wrong()),
        "http" if !is_loopback => {
            Err("begins with http://: whoever reads along could pair the account; use https://".to_owned())
        }
        "https" | "http" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        _ => Err(wrong()),
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let nets = text.split(',').map(str::trim).map(|net| {
        let parsed = net.parse::<IpNet>().or_else(|_| net.parse::<IpAddr>().map(IpNet::from));
        parsed.map_err(|_| format!("{text:?} is not a list of networks and addresses such as 10.0.0.0/8, 203.0.113.9"))
    });
    nets.collect()
}

pub(super) fn probe_addr(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    let wrong = |_| format!("{text:?} is neither an address and port such as 0.0.0.0:8089 nor off");
    text.parse().map(Some).map_err(wrong)
}

pub(super) fn log_directives(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(format!("{text:?} cannot be read: {error}; give for example info or info,paird::whatsapp=debug"))
        }
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither text nor json")),
    }
}

/// A loopback address, or `localhost`: of what that leads to, only loopback addresses are dialled.
pub(super) fn whatsapp_url(text: &str) -> Result<String, String> {
    if cfg!(not(feature = "sandbox")) {
        return Err("is set, but this is a production build, which talks to the real WhatsApp only; \
                    unset it, or build with the sandbox feature"
            .to_owned());
    }
    let Some(rest) = text.strip_prefix("ws://").or_else(|| text.strip_prefix("wss://")) else {
        return Err(format!("{text:?} does not start with ws:// or wss://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.split_once(':').map_or(authority, |(host, _)| host) == "localhost" {
        return Ok(text.to_owned());
    }
    let ip = authority.parse::<SocketAddr>().map(|addr| addr.ip()).or_else(|_| authority.parse::<IpAddr>());
    match ip {
        Ok(ip) if ip.is_loopback() => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(format!("{authority:?} is not a loopback address such as 127.0.0.1:4200")),
    }
}

/// Networks, or single addresses. A sandbox build dials only this machine, even if more is
/// allowed.
pub(super) fn proxy_allow(text: &str) -> Result<ProxyAllow, String> {
    if text.trim() == "usual" {
        return match cfg!(feature = "sandbox") {
            true => Ok(ProxyAllow::this_machine()),
            false => Ok(ProxyAllow::Usual),
        };
    }
    let nets = text.split(',').map(str::trim).map(|net| {
        let parsed = net.parse::<IpNet>().or_else(|_| net.parse::<IpAddr>().map(IpNet::from));
        parsed.map_err(|_| format!("{text:?} is neither usual nor a list of networks such as 10.0.0.0/8, 203.0.113.9"))
    });
    let nets = nets.collect::<Result<Vec<_>, _>>()?;
    let is_here = |net: &IpNet| net.network().is_loopback() && net.broadcast().is_loopback();
    if cfg!(feature = "sandbox") && !nets.iter().all(is_here) {
        return Err(format!("{text:?} names more than loopback addresses, and this is a sandbox build"));
    }
    Ok(ProxyAllow::Only(nets))
}

/// The name under "Linked devices".
///
/// # Errors
/// The reason why it is invalid, to be read after its own name.
pub fn device_name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if length > DEVICE_NAME_MAX_CHARS {
        return Err(format!("has {length} characters; at most {DEVICE_NAME_MAX_CHARS} fit on the phone"));
    }
    if text.chars().any(char::is_control) {
        return Err("has control characters".to_owned());
    }
    Ok(text.to_owned())
}
