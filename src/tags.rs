//! What a tag of an account may be. The database insists on the same.

use std::collections::HashSet;

use thiserror::Error;

/// Tags that an account has at most.
pub(crate) const TAGS_MAX: usize = 20;
/// Characters that a tag has at most.
pub(crate) const TAG_MAX_CHARS: usize = 40;

/// The reason why a text is not a tag, or why tags cannot be those of one account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum TagError {
    #[error("a tag is empty")]
    Empty,
    #[error("a tag has more than {TAG_MAX_CHARS} characters")]
    TooLong,
    #[error("a tag has control characters")]
    Control,
    #[error("a tag has a comma, which separates tags")]
    Comma,
    #[error("the tag {0:?} is there twice; upper and lower case are the same")]
    Twice(String),
    #[error("there are more than {TAGS_MAX} tags")]
    TooMany,
}

/// The tag without the space around it.
///
/// # Errors
/// It is none.
pub(crate) fn checked_tag(text: &str) -> Result<&str, TagError> {
    let tag = text.trim();
    if tag.is_empty() {
        return Err(TagError::Empty);
    }
    if tag.chars().count() > TAG_MAX_CHARS {
        return Err(TagError::TooLong);
    }
    if tag.chars().any(char::is_control) {
        return Err(TagError::Control);
    }
    if tag.contains(',') {
        return Err(TagError::Comma);
    }
    Ok(tag)
}

/// The tags of one account, in their order.
///
/// # Errors
/// One is no tag, one is there twice, or there are too many.
pub(crate) fn checked_tags<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<&'a str>, TagError> {
    let mut seen = HashSet::new();
    let mut tags = Vec::new();
    for text in texts {
        let tag = checked_tag(text)?;
        if !seen.insert(tag.to_lowercase()) {
            return Err(TagError::Twice(tag.to_owned()));
        }
        tags.push(tag);
    }
    if tags.len() > TAGS_MAX { Err(TagError::TooMany) } else { Ok(tags) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_trimmed_and_keep_their_order_and_case() {
        assert_eq!(checked_tags([" VIP ", "north\u{a0}"]), Ok(vec!["VIP", "north"]));
        assert_eq!(checked_tags([]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_tag_is_refused_by_what_is_wrong() {
        let long = "x".repeat(TAG_MAX_CHARS + 1);
        for (text, wrong) in [
            (" ", TagError::Empty),
            (long.as_str(), TagError::TooLong),
            ("a\tb", TagError::Control),
            ("a,b", TagError::Comma),
        ] {
            assert_eq!(checked_tag(text), Err(wrong));
        }
        assert_eq!(checked_tags(["Äpfel", "äpfel"]), Err(TagError::Twice("äpfel".to_owned())));
        let many: Vec<String> = (0..=TAGS_MAX).map(|n| n.to_string()).collect();
        assert_eq!(checked_tags(many.iter().map(String::as_str)), Err(TagError::TooMany));
    }
}
