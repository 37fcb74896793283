//! Output to the terminal. A closed pipe (`paird events | head`) is not an error.
//!
//! Everything but [`raw`] escapes control characters, since the output contains text from
//! strangers, such as the subject of a group that any member may edit.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::time::Duration;

use chrono::TimeDelta;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::crossterm::terminal;
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::exit::Exit;
use crate::escape::{escaped, escaped_json};

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
            Self::Json => json_remark(&json!({ "remark": text.to_string() })),
        }
    }

    /// The error in one line, and the exit code for it.
    pub(super) fn complain(self, exit: Exit, text: impl Display) -> ExitCode {
        let text = one_line(&text.to_string());
        match self {
            Self::Text => remark(format_args!("paird: {text}")),
            Self::Json => {
                let error = json!({ "exitCode": exit.code(), "name": exit.name(), "message": text });
                json_remark(&json!({ "error": error }));
            }
        }
        ExitCode::from(exit.code())
    }
}

/// Errors are one line, even if a message from elsewhere has several.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A line to stdout.
pub(super) fn line(text: impl Display) {
    raw(&format!("{}\n", escaped(&text.to_string())));
}

/// Our own text to stdout as it is, at once: drawings, tables, several lines.
pub(super) fn raw(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A remark to stderr for a person.
pub(super) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&text.to_string()));
}

fn json_remark(document: &Value) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped_json(&document.to_string()));
}

/// Whether stdout can be redrawn in place.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How often it is asked whether stdout is still read.
const CLOSED_POLL: Duration = Duration::from_millis(250);

/// Returns when stdout is a pipe or a socket that nobody reads any more: what follows without writing would
/// never notice.
pub(super) async fn until_closed() {
    let mut next = tokio::time::interval(CLOSED_POLL);
    loop {
        next.tick().await;
        let stdout = io::stdout();
        let mut asked = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
        let _ = poll(&mut asked, PollTimeout::ZERO);
        let [stdout] = asked;
        if stdout.revents().is_some_and(|is| is.intersects(PollFlags::POLLERR | PollFlags::POLLHUP)) {
            return;
        }
    }
}

/// The columns of the terminal that stdout is; `None` where it is none.
pub(super) fn columns() -> Option<usize> {
    is_terminal().then(|| terminal::size().ok()).flatten().map(|(columns, _)| usize::from(columns))
}

/// A value as one line of JSON.
pub(super) fn json(value: &Value) {
    raw(&format!("{}\n", escaped_json(&value.to_string())));
}

/// Rows in aligned columns below a header. In a terminal each row is one line: the widest columns are clipped, and
/// the last ones left out where there is no room for them.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    table_within(header, rows, columns())
}

/// Between two columns.
const GAP: usize = 2;
/// A column is not clipped below this.
const LEAST_COLUMN: usize = 8;
/// A column that is no wider is of no use when it is clipped: a status, a number, a count.
const WHOLE_COLUMN: usize = 13;

/// The widths of the columns that fit into `room`, of those that they would like to have: the widest are made
/// narrower, and the last ones left out if that is not enough.
pub(super) fn fitted(wanted: &[usize], gap: usize, room: usize) -> Vec<usize> {
    let least = |wanted: usize| if wanted <= WHOLE_COLUMN { wanted } else { LEAST_COLUMN };
    for count in (2..=wanted.len()).rev() {
        let wanted = wanted.get(..count).unwrap_or(wanted);
        let gaps = gap * (count - 1);
        if wanted.iter().map(|width| least(*width)).sum::<usize>() + gaps > room {
            continue;
        }
        let mut widths = wanted.to_vec();
        while widths.iter().sum::<usize>() + gaps > room {
            let clippable = widths.iter_mut().zip(wanted).filter(|(width, wanted)| **width > least(**wanted));
            let Some((widest, _)) = clippable.max_by_key(|(width, _)| **width) else { break };
            *widest -= 1;
        }
        return widths;
    }
    wanted.iter().take(1).map(|width| (*width).min(room)).collect()
}

/// No wider than that; what is cut off is an ellipsis.
pub(super) fn clipped(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    if width == 0 {
        return Cow::Borrowed("");
    }
    let mut clipped = String::new();
    for letter in text.chars() {
        if clipped.width() + letter.width().unwrap_or(0) >= width {
            break;
        }
        clipped.push(letter);
    }
    Cow::Owned(format!("{clipped}…"))
}

fn table_within(header: &[&str], rows: &[Vec<String>], room: Option<usize>) -> String {
    let rows: Vec<Vec<Cow<'_, str>>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let widths: Vec<usize> = header.iter().enumerate().map(|(column, title)| natural(&rows, column, title)).collect();
    let widths = room.map_or_else(|| widths.clone(), |room| fitted(&widths, GAP, room));
    let mut text = String::new();
    let titles: Vec<Cow<'_, str>> = header.iter().map(|title| Cow::Borrowed(*title)).collect();
    for row in std::iter::once(&titles).chain(&rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| {
                let cell = clipped(cell, *width);
                format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
            })
            .collect();
        text.push_str(cells.join(&" ".repeat(GAP)).trim_end());
        text.push('\n');
    }
    text
}

/// As wide as the title and the widest cell of a column.
pub(super) fn natural(rows: &[Vec<Cow<'_, str>>], column: usize, title: &str) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
    cells.chain([title.width()]).max().unwrap_or(0)
}

/// How long something takes or has taken: `45s`, `12m`, `7h`, `3d`.
pub(super) fn age(time: TimeDelta) -> String {
    match time.num_seconds().max(0) {
        secs @ 0..120 => format!("{secs}s"),
        secs @ 120..7_200 => format!("{}m", secs / 60),
        secs @ 7_200..172_800 => format!("{}h", secs / 3600),
        secs => format!("{}d", secs / 86_400),
    }
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
    fn columns_are_as_wide_as_a_terminal_shows_their_cells() {
        let rows = vec![vec!["日本".to_owned(), "b".to_owned()], vec!["e\u{301}\u{1b}".to_owned(), "c".to_owned()]];
        assert_eq!(table(&["x", "yy"], &rows), "x        yy\n日本     b\ne\u{301}\\u{1b}  c\n");
    }

    #[test]
    fn the_widest_columns_are_clipped_to_the_room() {
        let rows = vec![
            vec!["a rather long label".to_owned(), "held".to_owned()],
            vec!["日本日本日本日本".to_owned(), String::new()],
        ];
        let text = table_within(&["LABEL", "STATUS"], &rows, Some(18));
        assert_eq!(text, "LABEL       STATUS\na rather …  held\n日本日本…\n");
        assert!(text.lines().all(|line| line.width() <= 18));
        let narrow = table_within(&["LABEL", "STATUS"], &rows, Some(5));
        assert_eq!(narrow, "LABEL\na ra…\n日本…\n", "what has no room is left out");
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped("abcd", 3), "ab…");
    }

    #[test]
    fn columns_are_whole_or_clipped_and_the_last_give_way() {
        assert_eq!(fitted(&[40, 12, 30], 2, 90), [40, 12, 30]);
        assert_eq!(fitted(&[40, 12, 30], 2, 60), [22, 12, 22]);
        assert_eq!(fitted(&[40, 12, 30], 2, 32), [8, 12, 8]);
        assert_eq!(fitted(&[40, 12, 30], 2, 31), [17, 12], "a status is not clipped");
        assert_eq!(fitted(&[40, 12, 30], 2, 20), [20]);
        assert_eq!(fitted(&[40, 12, 30], 2, 0), [0]);
        assert_eq!(fitted(&[], 2, 10), Vec::<usize>::new());
    }

    #[test]
    fn times_are_printed_in_few_letters() {
        let age = |secs| age(TimeDelta::seconds(secs));
        assert_eq!([age(-3), age(119), age(120), age(7_200), age(172_800)], ["0s", "119s", "2m", "2h", "2d"]);
    }

    #[test]
    fn an_error_of_several_lines_becomes_one() {
        assert_eq!(one_line("database: no\n  such role\n\n"), "database: no such role");
    }
}
