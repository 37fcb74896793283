//! The QR or the code in the terminal, refreshed in place, with the time that is left.

use std::fmt::Write as _;

use paird_sql::queries::cli::Pairing;
use ratatui::crossterm::terminal;

use crate::cli::out;
use crate::escape::escaped;
use crate::qr;

/// The lines below a QR: an instruction, the countdown, the cursor.
const AROUND: usize = 3;
/// The lines of a code below it.
const OF_A_CODE: usize = 4;

/// The current drawing, which the next one replaces.
pub(super) struct Screen {
    label: String,
    /// Lines of the last drawing; the next one starts that far up.
    lines: usize,
    /// The last drawing without its countdown, so that a log file gets each new one once.
    shown: String,
}

impl Screen {
    pub(super) fn new(label: &str) -> Self {
        Self { label: label.to_owned(), lines: 0, shown: String::new() }
    }

    /// Draws the row as it is now.
    pub(super) fn show(&mut self, row: &Pairing) -> anyhow::Result<()> {
        let room = if out::is_terminal() { terminal::size().ok() } else { None };
        let what = picture(row, room)?;
        let is_new = what != self.shown;
        if !out::is_terminal() {
            if is_new {
                out::raw(&what);
            }
            self.shown = what;
            return Ok(());
        }
        let mut text = String::new();
        let countdown = countdown(&self.label, row);
        if is_new {
            let _ = writeln!(text, "{what}{countdown}");
            self.clear();
            self.lines = text.matches('\n').count();
            self.shown = what;
        } else {
            let _ = writeln!(text, "\u{1b}[1A\u{1b}[2K{countdown}");
        }
        out::raw(&text);
        Ok(())
    }

    /// Takes the drawing away: a QR that is over must not be scanned.
    pub(super) fn clear(&mut self) {
        if self.lines > 0 && out::is_terminal() {
            out::raw(&format!("\u{1b}[{}A\u{1b}[J", self.lines));
        }
        self.lines = 0;
        self.shown = String::new();
    }
}

/// The QR or code for the phone, or a line that asks to wait.
fn picture(row: &Pairing, room: Option<(u16, u16)>) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some(png) = &row.last_qr_png {
        let modules = qr::modules_of(png)?;
        let (columns, lines) = modules.size();
        let lines = lines + AROUND + if row.pair_code.is_some() { OF_A_CODE } else { 0 };
        match room {
            Some((width, height)) if usize::from(width) < columns || usize::from(height) < lines => {
                let _ = writeln!(
                    text,
                    "  the QR needs {columns} columns and {lines} lines, and this terminal has {width} and {height}:\n  \
                     enlarge it or make its letters smaller, and the QR appears"
                );
            }
            Some(_) | None => {
                let drawn = modules.drawn();
                let _ = writeln!(text, "{drawn}  WhatsApp on the phone: Linked devices, Link a device, and scan this");
            }
        }
    }
    if let Some(code) = &row.pair_code {
        let or = if text.is_empty() { "" } else { "or, " };
        let _ = write!(
            text,
            "\n  {}\n\n  {or}WhatsApp on the phone: Linked devices, Link a device, Link with phone number\n",
            escaped(code)
        );
    }
    if text.is_empty() {
        let _ = writeln!(text, "  {} ({})", row.status, escaped(&row.status_reason));
    }
    Ok(text)
}

fn countdown(label: &str, row: &Pairing) -> String {
    let (label, reason) = (escaped(label), escaped(&row.status_reason));
    let Some(deadline) = row.pair_deadline else { return format!("  {label}: {reason}") };
    let left = (deadline - row.database_now).num_seconds().max(0);
    format!("  {label}: {}:{:02} left ({reason})", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, Utc};

    use super::*;

    fn row() -> Pairing {
        let now = Utc::now().fixed_offset();
        Pairing {
            status: "pending".to_owned(),
            status_reason: "awaiting_scan".to_owned(),
            event_seq: 1,
            last_qr_png: None,
            qr_expires_at: None,
            pair_code: None,
            pair_deadline: Some(now + Duration::seconds(272)),
            database_now: now,
        }
    }

    #[test]
    fn the_time_left_is_counted_by_the_databases_clock() {
        assert_eq!(countdown("shop", &row()), "  shop: 4:32 left (awaiting_scan)");
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_no_negative_time() {
        let mut row = row();
        row.pair_deadline = Some(row.database_now - Duration::seconds(5));
        assert!(countdown("shop", &row).contains("0:00 left"));
    }

    #[test]
    fn a_code_is_shown_with_the_qr_beside_it() {
        let code = Pairing { pair_code: Some("ABCD-EFGH".to_owned()), ..row() };
        assert!(picture(&code, None).unwrap().contains("ABCD-EFGH"));
        let qr = qr::png_base64(&paird_actors::domain::Secret::new("2@ref,key,key,secret")).unwrap();
        let both = picture(&Pairing { last_qr_png: Some(qr.clone()), ..code }, None).unwrap();
        assert!(both.contains("scan this") && both.contains("ABCD-EFGH"), "{both}");
        let alone = picture(&Pairing { last_qr_png: Some(qr), ..row() }, None).unwrap();
        assert!(alone.contains("scan this") && !alone.contains("phone number"), "{alone}");
    }
}
