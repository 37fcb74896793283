//! Escapes text from others before it is shown to a person: a label, a group's subject,
//! WhatsApp's reason. Escaped text cannot end a line, move the cursor, reverse the direction
//! of the text after it, or hide invisible characters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line, with what a terminal would act on or not show at all written as `\u{1b}`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(must_escape) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if must_escape(letter) {
            let _ = write!(shown, "{}", letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// JSON on one line, with the same characters as JSON escapes: they occur within strings alone.
pub fn escaped_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for letter in document.chars() {
        if must_escape(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Controls, ends of lines, marks of direction, and what has no width and no sound.
pub fn must_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_letters_are_not() {
        assert_eq!(escaped("naïve 日本 🙂"), "naïve 日本 🙂");
        assert_eq!(
            escaped("a\u{1b}]0;x\u{7}\n\u{9b}31m\u{202e}\u{200b}z"),
            "a\\u{1b}]0;x\\u{7}\\u{a}\\u{9b}31m\\u{202e}\\u{200b}z"
        );
    }

    #[test]
    fn escaped_json_is_the_same_document() {
        let value = serde_json::json!({"label": "\u{9b}\u{202e}\u{e0041}\u{1b}ä"});
        let shown = escaped_json(&value.to_string());
        assert!(!shown.contains(must_escape), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
