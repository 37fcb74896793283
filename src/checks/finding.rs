//! A finding: a fact, its severity, and advice.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::escape::escaped;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// What was looked at, in a word or two.
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    /// What was found, in words.
    found: String,
    /// What to do; nothing where all is well.
    advice: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), advice: None }
    }

    pub(crate) fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    pub(crate) fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, found: found.into(), advice: Some(advice.into()) }
    }

    pub(crate) fn not_looked_at(check: &'static str, why: &anyhow::Error) -> Self {
        Self::fail(check, format!("{why:#}"), "fix that, then run paird doctor again")
    }
}

pub(crate) fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// All of them in one line.
pub(crate) fn summary(findings: &[Finding]) -> String {
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    match (count(Level::Fail), count(Level::Warn)) {
        (0, 0) => format!("all {} checks are good", findings.len()),
        (0, warnings) => format!("nothing is broken; {warnings} of {} checks want a look", findings.len()),
        (broken, warnings) => format!("{broken} broken, {warnings} to look at, of {} checks", findings.len()),
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
