//! Phone numbers as people write them, with prefixes, separators and invisible characters.

use super::PhoneError;

/// The zero of each script that keyboards of phones write digits in.
const ZEROS: [char; 6] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}'];

/// Fewer digits are in too many numbers.
const LEAST_SEARCHED: usize = 3;

/// The digits of a text, the prefix of an international call taken off.
pub(super) fn digits(text: &str) -> Result<String, PhoneError> {
    let mut digits = String::new();
    let mut has_plus = false;
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            digits.push(digit);
        } else if matches!(c, '+' | '\u{ff0b}') {
            has_plus = has_plus || digits.is_empty();
        } else if !is_separator(c) && !is_invisible(c) {
            return Err(PhoneError::NotDigits(c));
        }
    }
    // As it is dialled in most of the world.
    match digits.strip_prefix("00") {
        Some(number) if !has_plus => Ok(number.to_owned()),
        Some(_) | None => Ok(digits),
    }
}

/// The digits of a part of a number.
pub(super) fn searched_digits(text: &str) -> Option<String> {
    let read = digits(&text.replace("(0)", "")).ok()?;
    let read = without_trunk_prefix(&read).unwrap_or(read);
    let read = read.trim_start_matches('0');
    (read.len() >= LEAST_SEARCHED).then(|| read.to_owned())
}

/// Removes the digit that is dialled only within the country: the `0` of +44 (0)20.
/// `None` if there is none, or if it belongs to the number, as in Italy or in Russia's
/// +7 800: the rest must be a number that the country assigns.
pub(super) fn without_trunk_prefix(digits: &str) -> Option<String> {
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
    if !number.is_valid() {
        return None;
    }
    let zeros = "0".repeat(usize::from(number.national().zeros()));
    let read = format!("{}{zeros}{}", number.code().value(), number.national().value());
    (read != digits).then_some(read)
}

fn digit(c: char) -> Option<char> {
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '(' | ')' | '.' | '/' | '\u{b7}')
        // Hyphens, dashes and the minus sign, which word processors put for a hyphen.
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}')
        // Full width, as East Asian keyboards write them.
        || matches!(c, '\u{ff08}' | '\u{ff09}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}')
}

/// Characters that are copied along with a number from a contact or a web page.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
