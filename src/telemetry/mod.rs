//! Log lines, to stderr, as text or JSON.
//!
//! `PAIRD_LOG` sets the levels of paird's own code. The levels of other crates are always
//! capped, because some of their lines contain data that must not be logged: see [`CAPS`].

mod fields;
mod json_lines;

use std::io::{self, IsTerminal};

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::filter_fn};

use crate::config::LogFormat;

/// Crates whose lines are not capped.
const OURS: [&str; 3] = ["paird", "paird_actors", "paird_sandbox"];

/// Targets whose warnings, too, may hold what must not be logged.
///
/// Everything else that is not ours is capped at `WARN`. At `INFO` the library
/// says a pair code and the whole phone number (target `Client/PairCode`) and
/// numbers of contacts; at `DEBUG` every stanza, QR refs included; tokio-postgres
/// at `DEBUG` says a statement's parameters, sealed keys and QR pictures among them.
const CAPS: [(&str, LevelFilter); 13] = [
    // Stanzas it did not understand, whole: pair-success or refs may be in one.
    ("whatsapp_rust::handlers", LevelFilter::ERROR),
    ("whatsapp_rust::client::node_io", LevelFilter::ERROR),
    ("Client/Mex", LevelFilter::ERROR),
    // Addresses of files, with the tokens that open them: its errors have them, too.
    ("whatsapp_rust::download", LevelFilter::OFF),
    // Keys, MACs and addresses of failed decryptions.
    ("wacore_libsignal", LevelFilter::OFF),
    // Numbers and LIDs that could not be read.
    ("whatsapp_rust::cache_store", LevelFilter::ERROR),
    // Numbers of contacts whose device lists changed.
    ("whatsapp_rust::client::lid_pn", LevelFilter::ERROR),
    ("whatsapp_rust::client::device_registry", LevelFilter::ERROR),
    // Numbers whose LIDs could not be written, and of devices that are not known.
    ("whatsapp_rust::send", LevelFilter::ERROR),
    ("whatsapp_rust::features", LevelFilter::ERROR),
    ("whatsapp_rust::usync", LevelFilter::ERROR),
    ("whatsapp_rust::retry", LevelFilter::ERROR),
    ("whatsapp_rust::pair", LevelFilter::ERROR),
];

/// The log could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    #[error("PAIRD_LOG cannot be read")]
    Directives(#[from] tracing_subscriber::filter::ParseError),
    #[error("a log is set up already")]
    SetTwice(#[from] TryInitError),
}

/// Starts logging for this process, records of the `log` crate included.
///
/// # Errors
/// `directives` cannot be read, or a log is set up already.
pub fn start(directives: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let chosen = EnvFilter::builder().parse(directives)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Text => {
            lines.with_ansi(io::stderr().is_terminal()).with_target(true).fmt_fields(fields::escaped()).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_writer(json_lines::stderr).boxed(),
    };
    Ok(Registry::default().with(lines).with(filter_fn(may_be_logged)).with(chosen).try_init()?)
}

/// Whether this line may be logged at all, regardless of `PAIRD_LOG`.
fn may_be_logged(line: &Metadata<'_>) -> bool {
    *line.level() <= cap_of(line.target())
}

fn cap_of(target: &str) -> LevelFilter {
    if OURS.iter().any(|name| belongs_to(target, name)) {
        return LevelFilter::TRACE;
    }
    // A bridged record's event is filtered a second time under the name of the
    // bridge; its own target was looked at before.
    if target == "log" {
        return LevelFilter::TRACE;
    }
    let capped = CAPS.iter().find(|(name, _)| belongs_to(target, name));
    capped.map_or(LevelFilter::from_level(Level::WARN), |(_, cap)| *cap)
}

/// `target` is `name` or a module below it.
fn belongs_to(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::escape::must_escape;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged_with_everything_on(say: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let chosen = EnvFilter::builder().parse("trace").unwrap();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let log = Registry::default().with(layer).with(filter_fn(may_be_logged)).with(chosen);
        tracing::subscriber::with_default(log, say);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_is_one_line_with_any_content() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .fmt_fields(fields::escaped())
            .with_writer(move || writer.clone());
        let label = "desk\r\n2026 INFO forged \u{1b}[31m\u{7}\u{202e}ä";
        tracing::subscriber::with_default(Registry::default().with(layer), || tracing::info!(%label, "first\nsecond"));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with("ä\n") && text.contains("first\\u{a}second"), "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }

    #[test]
    fn a_json_line_stays_short_and_valid_with_any_content() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || json_lines::Taming(writer.clone()));
        let label = "ä\n\"".repeat(3_000_000);
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            let span = tracing::info_span!("account", %label);
            span.in_scope(|| tracing::warn!(%label, "{label}"));
            tracing::warn!("short");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.len() < 16 * 1024, "{} bytes for two lines", text.len());
        let values: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((values.len(), &values[0]["level"], &values[1]["message"]), (2, &"WARN".into(), &"short".into()));
        assert!(values[0]["span"]["label"].as_str().unwrap().starts_with("ä\n\"ä"), "{text}");
    }

    #[test]
    fn a_json_line_controls_no_terminal() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || json_lines::Taming(writer.clone()));
        let label = "desk\u{9b}31m\u{7f}\u{202e}\u{200b}ä";
        tracing::subscriber::with_default(Registry::default().with(layer), || tracing::info!(%label, "{label}"));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.contains(must_escape), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["label"], label);
    }

    #[test]
    fn our_own_lines_are_as_loud_as_asked_for() {
        let text = logged_with_everything_on(|| {
            tracing::trace!(target: "paird::postgres", "one");
            tracing::trace!(target: "paird_actors", "two");
        });
        assert!(text.contains("one") && text.contains("two"), "{text}");
    }

    #[test]
    fn lines_with_codes_or_stanzas_are_capped_at_any_log_level() {
        let text = logged_with_everything_on(|| {
            tracing::info!(target: "Client/PairCode", "code hunter2");
            tracing::info!(target: "Bot/PairCode", "code hunter2");
            tracing::debug!(target: "whatsapp_rust::client", "stanza hunter2");
            tracing::warn!(target: "whatsapp_rust::handlers::iq", "stanza hunter2");
            tracing::warn!(target: "whatsapp_rust::client::node_io", "stanza hunter2");
            tracing::warn!(target: "whatsapp_rust::cache_store", "number hunter2");
            tracing::warn!(target: "whatsapp_rust::send", "number hunter2");
            tracing::warn!(target: "whatsapp_rust::features::contacts", "number hunter2");
            tracing::warn!(target: "whatsapp_rust::usync", "number hunter2");
            tracing::warn!(target: "whatsapp_rust::retry", "number hunter2");
            tracing::warn!(target: "whatsapp_rust::pair", "number hunter2");
            tracing::error!(target: "wacore_libsignal::protocol::session_cipher", "key hunter2");
            tracing::error!(target: "whatsapp_rust::download", "address hunter2");
            tracing::debug!(target: "tokio_postgres::query", "parameters hunter2");
        });
        assert_eq!(text, "");
    }

    #[test]
    fn warnings_of_others_pass() {
        let text = logged_with_everything_on(|| tracing::warn!(target: "Client/Keepalive", "no pong"));
        assert!(text.contains("no pong"), "{text}");
    }

    #[test]
    fn a_name_that_only_begins_like_ours_is_capped() {
        assert_eq!(cap_of("pairdish"), LevelFilter::WARN);
        assert_eq!(cap_of("paird::cli"), LevelFilter::TRACE);
    }
}
