//! The QR or the code in the terminal, refreshed in place, with the time that is left.

use std::fmt::Write as _;

use paird_sql::queries::cli::Pairing;
use ratatui::crossterm::terminal;
use unicode_width::UnicodeWidthStr as _;

use super::setback;
use crate::cli::out::{self, clipped};
use crate::escape::escaped;
use crate::qr;

/// The lines below a QR: an instruction, the countdown, the cursor.
const AROUND: usize = 3;
/// The lines of a code below it.
const OF_A_CODE: usize = 4;

/// Where the QR can be seen besides this terminal.
pub(super) struct Elsewhere {
    /// The file of `--png`.
    pub(super) file: Option<String>,
    /// The account's, as a shell takes it.
    pub(super) label: String,
    /// The console's address on this machine.
    pub(super) console: Option<String>,
}

impl Elsewhere {
    /// The ways out of a terminal that is too small.
    fn ways(&self) -> [String; 2] {
        let picture = match &self.file {
            Some(file) => format!("or open the picture:  {file}"),
            None => format!("or as a picture:      paird pair {} --png FILE", self.label),
        };
        let browser = match &self.console {
            Some(url) => format!("or in the browser:    {url}  (its token: paird console)"),
            None => "or in the browser:    paird console, where the daemon runs".to_owned(),
        };
        [picture, browser]
    }
}

/// The current drawing, which the next one replaces.
pub(super) struct Screen {
    label: String,
    elsewhere: Elsewhere,
    /// Lines of the last drawing; the next one starts that far up.
    lines: usize,
    /// The last drawing without its countdown, so that a log file gets each new one once.
    shown: String,
}

impl Screen {
    pub(super) fn new(label: &str, elsewhere: Elsewhere) -> Self {
        Self { label: label.to_owned(), elsewhere, lines: 0, shown: String::new() }
    }

    /// Draws the row as it is now.
    pub(super) fn show(&mut self, row: &Pairing) -> anyhow::Result<()> {
        let room = if out::is_terminal() { terminal::size().ok() } else { None };
        let what = picture(row, room, &self.elsewhere)?;
        let is_new = what != self.shown;
        if !out::is_terminal() {
            if is_new {
                out::raw(&what);
            }
            self.shown = what;
            return Ok(());
        }
        let mut text = String::new();
        let columns = room.map(|(columns, _)| usize::from(columns));
        let countdown = countdown(&self.label, row, columns);
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
fn picture(row: &Pairing, room: Option<(u16, u16)>, elsewhere: &Elsewhere) -> anyhow::Result<String> {
    let mut text = String::new();
    let width = room.map(|(width, _)| usize::from(width));
    let setback = setback(row).map_or_else(Vec::new, |setback| wrapped(&escaped(&setback), width));
    if let Some(png) = &row.last_qr_png {
        let modules = qr::modules_of(png)?;
        let (columns, lines) = modules.size();
        let around = AROUND + setback.len() + usize::from(elsewhere.file.is_some());
        let lines = lines + around + if row.pair_code.is_some() { OF_A_CODE } else { 0 };
        match room {
            Some((width, height)) if usize::from(width) < columns || usize::from(height) < lines => {
                let _ = writeln!(
                    text,
                    "  the QR needs {columns} columns and {lines} lines, and this terminal has {width} and {height}:\n  \
                     enlarge it or make its letters smaller, and the QR appears"
                );
                for way in elsewhere.ways() {
                    let _ = writeln!(text, "  {}", escaped(&way));
                }
            }
            Some(_) | None => {
                let drawn = modules.drawn();
                let _ = writeln!(text, "{drawn}  WhatsApp on the phone: Linked devices, Link a device, and scan this");
                if let Some(file) = &elsewhere.file {
                    let _ = writeln!(text, "  also in {}", escaped(file));
                }
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
    for line in setback {
        let _ = writeln!(text, "  {line}");
    }
    // The next drawing starts as many lines further up as this one has: none may take two.
    let Some(width) = width else { return Ok(text) };
    let fitted = |line: &str| if line.contains('\u{1b}') { line.to_owned() } else { clipped(line, width).into_owned() };
    Ok(text.lines().map(|line| fitted(line) + "\n").collect())
}

/// In lines that fit behind an indent of two.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let most = width.map_or(usize::MAX, |width| width.saturating_sub(2).max(1));
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A label must have so many columns; then the time is cut off, too.
const LEAST_LABEL: usize = 8;

/// One line, also of a narrow terminal: the label gives way to the time.
fn countdown(label: &str, row: &Pairing, columns: Option<usize>) -> String {
    let (label, reason) = (escaped(label), escaped(&row.status_reason));
    let rest = match row.pair_deadline {
        Some(deadline) => {
            let left = (deadline - row.database_now).num_seconds().max(0);
            format!(": {}:{:02} left ({reason})", left / 60, left % 60)
        }
        None => format!(": {reason}"),
    };
    let Some(columns) = columns else { return format!("  {label}{rest}") };
    let room = columns.saturating_sub(2 + rest.width()).max(LEAST_LABEL);
    clipped(&format!("  {}{rest}", clipped(&label, room)), columns).into_owned()
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

    fn nowhere() -> Elsewhere {
        Elsewhere { file: None, label: "shop".to_owned(), console: None }
    }

    #[test]
    fn a_small_terminal_names_the_ways_out() {
        let qr = qr::png_base64(&paird_actors::domain::Secret::new("2@ref,key,key,secret")).unwrap();
        let row = Pairing { last_qr_png: Some(qr), ..row() };
        let told = picture(&row, Some((80, 12)), &nowhere()).unwrap();
        assert!(told.contains("this terminal has 80 and 12") && told.contains("enlarge it"), "{told}");
        assert!(told.contains("paird pair shop --png FILE") && told.contains("paird console"), "{told}");
        let url = "http://127.0.0.1:8088/".to_owned();
        let elsewhere = Elsewhere { file: Some("/tmp/qr.png".to_owned()), console: Some(url), ..nowhere() };
        let told = picture(&row, Some((80, 12)), &elsewhere).unwrap();
        assert!(told.contains("/tmp/qr.png") && told.contains("http://127.0.0.1:8088/"), "{told}");
        let drawn = picture(&row, Some((80, 60)), &elsewhere).unwrap();
        assert!(drawn.contains("scan this") && drawn.contains("also in /tmp/qr.png"), "{drawn}");
    }

    #[test]
    fn the_time_left_is_counted_by_the_databases_clock() {
        assert_eq!(countdown("shop", &row(), None), "  shop: 4:32 left (awaiting_scan)");
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_no_negative_time() {
        let mut row = row();
        row.pair_deadline = Some(row.database_now - Duration::seconds(5));
        assert!(countdown("shop", &row, None).contains("0:00 left"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_the_time_stays() {
        let reason = "code_refused: whatsapp gives no code for this number now (429): too many were requested";
        let qr = qr::png_base64(&paird_actors::domain::Secret::new("2@ref,key,key,secret")).unwrap();
        let row = Pairing { status_reason: reason.to_owned(), last_qr_png: Some(qr), ..row() };
        let label = "日本 a very long label ".repeat(9);
        for columns in [20, 61, 80] {
            let drawn = picture(&row, Some((columns, 60)), &nowhere()).unwrap();
            let lines = drawn.lines().filter(|line| !line.contains('\u{1b}'));
            let line = countdown(&label, &row, Some(usize::from(columns)));
            for line in lines.chain([line.as_str()]) {
                assert!(line.width() <= usize::from(columns), "{columns}: {line}");
            }
            assert!(line.contains(": 4:32") || columns < 30, "{line}");
        }
        let drawn = picture(&row, None, &nowhere()).unwrap();
        assert!(drawn.ends_with(" Scan the QR instead, or wait a few minutes and pair again.\n"), "{drawn}");
    }

    #[test]
    fn a_code_is_shown_with_the_qr_beside_it() {
        let code = Pairing { pair_code: Some("ABCD-EFGH".to_owned()), ..row() };
        assert!(picture(&code, None, &nowhere()).unwrap().contains("ABCD-EFGH"));
        let qr = qr::png_base64(&paird_actors::domain::Secret::new("2@ref,key,key,secret")).unwrap();
        let both = picture(&Pairing { last_qr_png: Some(qr.clone()), ..code }, None, &nowhere()).unwrap();
        assert!(both.contains("scan this") && both.contains("ABCD-EFGH"), "{both}");
        let alone = picture(&Pairing { last_qr_png: Some(qr), ..row() }, None, &nowhere()).unwrap();
        assert!(alone.contains("scan this") && !alone.contains("phone number"), "{alone}");
    }
}
