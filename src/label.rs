//! What the label of an account may be. The database insists on the same.

use thiserror::Error;

/// A longer label would fit on no screen.
const LABEL_MAX_CHARS: usize = 200;

/// The reason why a text is no label, as it follows the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum LabelError {
    #[error("is empty")]
    Empty,
    #[error("has more than {LABEL_MAX_CHARS} characters")]
    TooLong,
    #[error("has control characters, such as a line break")]
    Control,
}

/// The label without the space around it.
///
/// # Errors
/// It is none.
pub(crate) fn checked_label(text: &str) -> Result<&str, LabelError> {
    let label = text.trim();
    if label.is_empty() {
        return Err(LabelError::Empty);
    }
    if label.chars().count() > LABEL_MAX_CHARS {
        return Err(LabelError::TooLong);
    }
    if label.chars().any(char::is_control) {
        return Err(LabelError::Control);
    }
    Ok(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_short_line() {
        assert_eq!(checked_label("  Desk, north \n"), Ok("Desk, north"));
        assert_eq!(checked_label(&"ä".repeat(200)), Ok("ä".repeat(200).as_str()));
        assert_eq!(checked_label(&"ä".repeat(201)), Err(LabelError::TooLong));
        assert_eq!(checked_label(" \t"), Err(LabelError::Empty));
        assert_eq!(checked_label("two\nlines"), Err(LabelError::Control));
    }
}
