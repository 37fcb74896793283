//! Tables in documents that are made from the code. A test compares them; with `UPDATE_DOCS=1`
//! it writes them instead.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "for tests, which say what failed by panicking")]

use std::{fmt::Display, fs, path::Path};

/// Whether tests are to write what they would compare otherwise.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the daemon")]
pub fn is_update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// A table in Markdown.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.join(" | "));
    let rule = line(head.map(|_| "---".to_owned()));
    let head = line(head.map(str::to_owned));
    rows.into_iter().map(line).fold(head + &rule, |table, row| table + &row)
}

/// A word as Markdown sets code.
pub fn code(word: impl Display) -> String {
    format!("`{word}`")
}

/// Compares the tables of a document with those that the code gives, each by the name that its
/// marker has: `<!-- table: NAME -->` before it, `<!-- end -->` behind it. `update` is the
/// command that writes them.
pub fn check_tables(document: &Path, tables: &[(&str, String)], update: &str) {
    let written = fs::read_to_string(document).unwrap();
    let made = tables.iter().fold(written.clone(), |text, (name, table)| with_table(&text, name, table));
    if is_update() {
        return fs::write(document, made).unwrap();
    }
    assert!(written == made, "{} is out of date: UPDATE_DOCS=1 {update}", document.display());
}

/// The text with the table between its markers, which must be there once.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- table: {name} -->\n");
    assert_eq!(text.matches(&begin).count(), 1, "the marker `{}` is there once", begin.trim());
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{begin}\n{table}\n<!-- end -->{after}")
}
