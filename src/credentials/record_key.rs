//! Encodes the name of a record: parts joined by `/`, with special characters escaped.
//!
//! Message ids and addresses come from other people's devices, so a part may hold
//! anything: a `/`, or a NUL, which Postgres refuses in a text.

use std::fmt::Write as _;

pub(crate) fn join(parts: &[&str]) -> String {
    let mut name = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            name.push('/');
        }
        for c in part.chars() {
            match c {
                '%' | '/' | '\0'..='\x1f' => {
                    // Writing to a String cannot fail.
                    let _ = write!(name, "%{:02x}", u32::from(c));
                }
                _ => name.push(c),
            }
        }
    }
    name
}

/// A name of one part.
pub(crate) fn one(part: &str) -> String {
    join(&[part])
}

/// The common prefix of all names of two or more parts whose first is `part`.
pub(crate) fn under(part: &str) -> String {
    join(&[part, ""])
}

/// The part at `index`, unescaped; `None` if the name has fewer, or was not made by [`join`].
pub(crate) fn part(name: &str, index: usize) -> Option<String> {
    let mut pieces = name.split('/').nth(index)?.split('%');
    let mut part = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        part.push(char::from(u8::from_str_radix(code, 16).ok()?));
        part.push_str(rest);
    }
    Some(part)
}

/// A number as a name; names order as the numbers do.
pub(crate) fn number(id: u32) -> String {
    format!("{id:010}")
}

/// The number of a name made by [`number`].
pub(crate) fn parse_number(name: &str) -> Option<u32> {
    name.parse().ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn record_keys_round_trip_any_parts(parts in prop::collection::vec(any::<String>(), 1..4)) {
            let name = join(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(!name.contains('\0'));
            for (at, part) in parts.iter().enumerate() {
                prop_assert_eq!(super::part(&name, at), Some(part.clone()));
            }
            prop_assert_eq!(super::part(&name, parts.len()), None);
            if parts.len() > 1 {
                prop_assert!(name.starts_with(&under(&parts[0])));
            }
        }

        #[test]
        fn number_names_order_as_the_numbers(a: u32, b: u32) {
            prop_assert_eq!(a.cmp(&b), number(a).cmp(&number(b)));
            prop_assert_eq!(parse_number(&number(a)), Some(a));
        }
    }
}
