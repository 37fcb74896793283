//! Phone numbers: as people write them, as WhatsApp spells them, and which are one.

mod spellings;
#[cfg(test)]
mod tests;
mod written;

use std::fmt;

use thiserror::Error;

/// A phone number: its digits only, 7 to 15 of them (E.164), no leading zero.
///
/// Two values are equal if their digits are; whether they are one number says
/// [`Phone::is_same_number`], since WhatsApp spells numbers of some countries in its own way.
///
/// `Display` and `Debug` mask it, so that a log never carries a whole number;
/// [`Phone::digits`] is for the row and the event.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// The reason why a text is not a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum PhoneError {
    #[error("phone number is empty")]
    Empty,
    #[error("phone number has characters other than digits, spaces and + - ( ) . /, the first is {0:?}")]
    NotDigits(char),
    #[error("phone number has {0} digits; give the country code and the number, 7 to 15 digits")]
    Length(usize),
    #[error("phone number starts with 0; give it with the country code")]
    LeadingZero,
}

impl Phone {
    /// Reads a number as people write it: `+44 (0)20 7946 0958`, `0043 660 1234567`.
    ///
    /// # Errors
    /// Says in words what is wrong with it; the number itself is not in the text.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = written::digits(text)?;
        let phone = Self::from_digits(&digits)?;
        Ok(written::without_trunk_prefix(&phone.0).and_then(|digits| Self::from_digits(&digits).ok()).unwrap_or(phone))
    }

    /// Takes a number as WhatsApp and the database write it, without interpretation.
    ///
    /// # Errors
    /// As [`Phone::parse`].
    pub fn from_digits(digits: &str) -> Result<Self, PhoneError> {
        if digits.is_empty() {
            return Err(PhoneError::Empty);
        }
        if let Some(other) = digits.chars().find(|letter| !letter.is_ascii_digit()) {
            return Err(PhoneError::NotDigits(other));
        }
        if digits.starts_with('0') {
            return Err(PhoneError::LeadingZero);
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(PhoneError::Length(digits.len()));
        }
        Ok(Self(digits.to_owned()))
    }

    /// What a text that people search for has of a number: its digits, in whatever way they are
    /// written, without the prefix of an international call or the zero that is dialled within the
    /// country. `None` for other texts, and for less than three digits.
    pub fn searched_digits(text: &str) -> Option<String> {
        written::searched_digits(text)
    }

    /// A number for documents; `last` tells one from another.
    pub(super) fn example(last: u8) -> Self {
        Self(format!("43660123456{last}"))
    }

    /// The digits, unmasked.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Unmasked, as people read it: `+436 601 234 567`, in groups of three from the right.
    pub fn grouped(&self) -> String {
        let (head, tail) = self.0.split_at(self.0.len() % 3);
        // One digit alone goes with the group behind it.
        let mut text = if head.len() == 2 { format!("+{head} ") } else { format!("+{head}") };
        for (nth, digit) in tail.char_indices() {
            if nth > 0 && nth % 3 == 0 {
                text.push(' ');
            }
            text.push(digit);
        }
        text
    }

    /// Whether WhatsApp may spell it otherwise: it is of a country where that happens.
    pub fn has_spellings(&self) -> bool {
        spellings::are_known(&self.0)
    }

    /// The same for every spelling of one number, and for nothing else. The SQL function
    /// `phone_key` says the same.
    pub fn key(&self) -> String {
        spellings::key(&self.0)
    }

    /// Whether a phone that has one of the two has the other.
    pub fn is_same_number(&self, other: &Self) -> bool {
        self == other || self.key() == other.key()
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
