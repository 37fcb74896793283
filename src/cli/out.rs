//! What goes to the terminal. A closed pipe (`paird events | head`) is not an error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::exit::Exit;

/// For a person or for a program. A program gets one JSON document, or one a line where
/// a command goes on, and remarks and errors as JSON, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

impl Format {
    pub(super) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// An outcome: a line, or a document.
    pub(super) fn tell(self, text: impl Display, document: &Value) {
        match self {
            Self::Text => line(text),
            Self::Json => json(document),
        }
    }

    /// A remark to stderr, so that stdout stays what was asked for.
    pub(super) fn remark(self, text: impl Display) {
        match self {
            Self::Text => remark(text),
            Self::Json => remark(json!({ "remark": text.to_string() })),
        }
    }

    /// The error in one line, and the exit code for it.
    pub(super) fn complain(self, exit: Exit, text: impl Display) -> ExitCode {
        let text = one_line(&text.to_string());
        match self {
            Self::Text => remark(format_args!("paird: {text}")),
            Self::Json => {
                let error = json!({ "exitCode": exit.code(), "name": exit.name(), "message": text });
                remark(json!({ "error": error }));
            }
        }
        ExitCode::from(exit.code())
    }
}

/// What others said may have several lines; an error has one.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A line to stdout.
pub(super) fn line(text: impl Display) {
    raw(&format!("{text}\n"));
}

/// Text to stdout as it is, at once.
pub(super) fn raw(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A remark to stderr for a person.
pub(super) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether stdout can be redrawn in place.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A value as one line of JSON.
pub(super) fn json(value: &Value) {
    line(value);
}

/// Rows in aligned columns below a header.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize, title: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([title.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = header.iter().enumerate().map(|(column, title)| width(column, title)).collect();
    let mut text = String::new();
    let titles: Vec<String> = header.iter().map(|title| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()))))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell_without_trailing_spaces() {
        let rows = vec![vec!["a".to_owned(), "b".to_owned()], vec!["naïve".to_owned(), String::new()]];
        assert_eq!(table(&["x", "yy"], &rows), "x      yy\na      b\nnaïve\n");
    }

    #[test]
    fn an_error_of_several_lines_becomes_one() {
        assert_eq!(one_line("database: no\n  such role\n\n"), "database: no such role");
    }
}
