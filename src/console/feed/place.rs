use std::fmt;

/// A place in the stream of all events: `<transaction>-<event>`. What lies before a
/// place never changes, because only transactions below every running one are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub xact: i64,
    pub id: i64,
}

impl Place {
    /// Before the first event of this transaction.
    pub fn before(xact: i64) -> Self {
        Self { xact: xact.saturating_sub(1), id: i64::MAX }
    }

    /// Only as [`Place`] writes itself.
    pub fn parse(text: &str) -> Option<Self> {
        let (xact, id) = text.split_once('-')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { xact: number(xact)?, id: number(id)? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xact, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_event_id_is_parsed() {
        let place = Place { xact: 77, id: 4 };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for wrong in ["", "-", "7", "7-", "-7-1", "7--1", "+7-1", "7-1-", "7-1 ", "99999999999999999999-1"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
