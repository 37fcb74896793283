//! A finding: a fact, its severity, and advice.

use std::fmt;

use serde_json::{Value, json};

use crate::escape::escaped;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) level: Level,
    found: String,
    /// Nothing to do where all is well.
    advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), advice: None }
    }

    pub(super) fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, found: found.into(), advice: Some(advice.into()) }
    }

    pub(super) fn not_looked_at(check: &'static str, why: &anyhow::Error) -> Self {
        Self::fail(check, format!("{why:#}"), "fix that, then run paird doctor again")
    }

    pub(super) fn as_json(&self) -> Value {
        json!({ "check": self.check, "level": self.level.name(), "found": self.found, "advice": self.advice })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "WARN",
            Level::Fail => "FAIL",
        };
        writeln!(f, "{level:>4}  {:<11} {}", self.check, escaped(&self.found))?;
        if let Some(advice) = &self.advice {
            writeln!(f, "{:17} → {}", "", escaped(advice))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_levels_is_the_last() {
        assert_eq!([Level::Warn, Level::Fail, Level::Ok].into_iter().max(), Some(Level::Fail));
    }

    #[test]
    fn a_finding_is_printed_with_its_remedy() {
        let finding = Finding::warn("disk", "1 % free", "make room");
        assert_eq!(finding.to_string(), "WARN  disk        1 % free\n                  → make room\n");
    }
}
