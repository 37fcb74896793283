//! Positions in the stream of all events.

use std::fmt;

/// A position in commit order, written `<transaction>-<event>`. Nothing before it can change
/// any more, because an event is published only once every older transaction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub xact: i64,
    pub id: i64,
}

impl Cursor {
    /// Before the first event of this transaction.
    pub fn before(xact: i64) -> Self {
        Self { xact: xact.saturating_sub(1), id: i64::MAX }
    }

    /// Accepts exactly what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (xact, id) = text.split_once('-')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { xact: number(xact)?, id: number(id)? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xact, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_written_cursor_can_be_parsed() {
        let cursor = Cursor { xact: 77, id: 4 };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for wrong in ["", "-", "7", "7-", "-7-1", "7--1", "+7-1", "7-1-", "7-1 ", "99999999999999999999-1"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
