//! The exit codes. This table is the source of the help and of an error's JSON; a test compares
//! .deploy/README.md with it.

use std::fmt::Write as _;

use serde_json::{Value, json};
use thiserror::Error;

/// The outcome of a command, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Failed,
    Usage,
    Duplicate,
    WrongPhone,
    Timeout,
    Cancelled,
    AttemptFailed,
    NoAccount,
    Ambiguous,
    DatabaseAway,
    NoDaemon,
}

pub(super) const ALL: [Exit; 12] = [
    Exit::Done,
    Exit::Failed,
    Exit::Usage,
    Exit::Duplicate,
    Exit::WrongPhone,
    Exit::Timeout,
    Exit::Cancelled,
    Exit::AttemptFailed,
    Exit::NoAccount,
    Exit::Ambiguous,
    Exit::DatabaseAway,
    Exit::NoDaemon,
];

impl Exit {
    pub(super) fn code(self) -> u8 {
        self as u8
    }

    /// The word for it in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Duplicate => "duplicate",
            Self::WrongPhone => "wrongPhone",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::AttemptFailed => "attemptFailed",
            Self::NoAccount => "noAccount",
            Self::Ambiguous => "ambiguous",
            Self::DatabaseAway => "databaseAway",
            Self::NoDaemon => "noDaemon",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; of pair: connected",
            Self::Failed => "it failed, and the line on stderr says why; of doctor: something is broken",
            Self::Usage => "an argument or a setting is wrong",
            Self::Duplicate => "pair: the number is linked already",
            Self::WrongPhone => "pair: another phone scanned than --expect names",
            Self::Timeout => "pair: nobody scanned in time",
            Self::Cancelled => {
                "pair: cancelled, or another pair command took its place; send: the message was cancelled"
            }
            Self::AttemptFailed => "pair: the attempt failed",
            Self::NoAccount => "there is no such account",
            Self::Ambiguous => "several accounts may be meant; give an id",
            Self::DatabaseAway => "the database cannot be reached",
            Self::NoDaemon => "no daemon runs there",
        }
    }

    /// The exit code for any error.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        error.downcast_ref::<Failure>().map_or(Self::Failed, |failure| failure.exit)
    }
}

/// An error that a script can tell from others.
#[derive(Debug, Error)]
#[error("{words}")]
pub(super) struct Failure {
    exit: Exit,
    words: String,
}

pub(super) fn failure(exit: Exit, words: impl Into<String>) -> anyhow::Error {
    Failure { exit, words: words.into() }.into()
}

/// The table, for the help.
pub(super) fn table() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for exit in ALL {
        let _ = writeln!(text, "  {:>2}  {}", exit.code(), exit.meaning());
    }
    text.trim_end().to_owned()
}

pub(super) fn as_json() -> Value {
    ALL.iter().map(|exit| json!({ "exitCode": exit.code(), "name": exit.name(), "meaning": exit.meaning() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_ascending_and_their_names_distinct() {
        for (exit, code) in ALL.iter().zip(0..) {
            assert_eq!(exit.code(), code);
            assert_eq!(ALL.iter().filter(|other| other.name() == exit.name()).count(), 1, "{}", exit.name());
        }
    }

    #[test]
    fn the_readme_lists_the_exit_codes_and_no_others() {
        let readme = include_str!("../../.deploy/README.md");
        let (_, section) = readme.split_once("### Exit codes").expect("a section for exit codes");
        let is_row = |line: &&str| line.starts_with('|');
        let table: Vec<&str> = section.lines().skip_while(|line| !is_row(line)).take_while(is_row).collect();
        let rows = ALL.iter().map(|exit| format!("| {} | {} |", exit.code(), exit.meaning()));
        let expected: Vec<String> =
            ["| exit code | |".to_owned(), "|---|---|".to_owned()].into_iter().chain(rows).collect();
        assert_eq!(table, expected);
    }

    #[test]
    fn an_exit_code_is_found_beneath_added_context() {
        let error = failure(Exit::NoDaemon, "nobody").context("sweep");
        assert_eq!(Exit::of(&error), Exit::NoDaemon);
        assert_eq!(format!("{error:#}"), "sweep: nobody");
        assert_eq!(Exit::of(&anyhow::anyhow!("anything")), Exit::Failed);
    }
}
