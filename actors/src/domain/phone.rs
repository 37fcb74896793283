use std::fmt;

use thiserror::Error;

/// A phone number: its digits only, 7 to 15 of them (E.164), no leading zero.
///
/// `Display` and `Debug` mask it, so that a log never carries a whole number;
/// [`Phone::digits`] is for the row, the event and the comparison.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// Why a text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneError {
    #[error("phone number is empty")]
    Empty,
    #[error("phone number has characters other than digits, spaces and + - ( ) .")]
    NotDigits,
    #[error("phone number has {0} digits; give the country code and the number, 7 to 15 digits")]
    Length(usize),
    #[error("phone number starts with 0; give it with the country code")]
    LeadingZero,
}

impl Phone {
    /// Reads a number as people write it: `+43 660 123-4567`, `0043 660 1234567`.
    ///
    /// # Errors
    /// Says in words what is wrong with it; the number itself is not in the text.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let mut digits = String::new();
        for c in text.trim().chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '+' | '-' | '(' | ')' | '.' => {}
                _ => return Err(PhoneError::NotDigits),
            }
        }
        // The international prefix, as it is dialled in most of the world.
        if !text.trim().starts_with('+')
            && let Some(number) = digits.strip_prefix("00")
        {
            digits = number.to_owned();
        }
        if digits.is_empty() {
            return Err(PhoneError::Empty);
        }
        if digits.starts_with('0') {
            return Err(PhoneError::LeadingZero);
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(PhoneError::Length(digits.len()));
        }
        Ok(Self(digits))
    }

    /// The digits, unmasked.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, tail) = self.0.split_at(self.0.len().saturating_sub(3));
        write!(f, "…{tail}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
