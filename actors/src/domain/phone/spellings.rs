//! Countries where one number has two spellings on WhatsApp.
//!
//! WhatsApp knows an account by the digits that it was registered with. Where a country's
//! numbering plan has changed since, or writes mobiles in another way than WhatsApp does,
//! an account may have the shorter or the longer spelling, and people write either.

/// Digits that one spelling has and the other has not.
struct OptionalDigits {
    /// The calling code.
    country: &'static str,
    /// How many digits of area code stand between it and the optional digits.
    area: usize,
    optional: &'static str,
    /// How many digits follow.
    rest: usize,
    /// Permitted leading digits of the rest, one entry per position.
    begin: &'static [&'static str],
}

/// Where each is described:
/// * Brazil, the ninth digit of mobiles, since 2012; accounts of before are without it:
///   360dialog, "Number formats"; Green API, "Features of sending and receiving messages
///   from different countries". Fixed lines (2 to 5) never have it: waha, "Fix BR landline
///   normalization".
/// * Mexico, the 1 of mobiles, gone from the numbering plan in 2019: Green API, as above;
///   Chatwoot, "normalize mexico whatsapp phone numbers".
/// * Argentina, the 9 of mobiles that are called from abroad: Green API, as above. Fixed and
///   mobile numbers share one plan, so that without the 9 it is still one number's.
/// * Côte d'Ivoire, from 8 to 10 digits in 2021, by operator, whose mobiles were known by
///   their second digit; WhatsApp kept accounts of before: waha, "Specific error for Ivory
///   Coast, area code 225".
/// * Benin, from 8 to 10 digits in 2024, `01` before every number of before: ITU, national
///   numbering plan of Benin. That WhatsApp keeps accounts of before is not reported.
const TABLE: [OptionalDigits; 7] = [
    OptionalDigits { country: "55", area: 2, optional: "9", rest: 8, begin: &["6789"] },
    OptionalDigits { country: "52", area: 0, optional: "1", rest: 10, begin: &["23456789"] },
    OptionalDigits { country: "54", area: 0, optional: "9", rest: 10, begin: &["123"] },
    OptionalDigits { country: "225", area: 0, optional: "01", rest: 8, begin: &["04567", "0123"] },
    OptionalDigits { country: "225", area: 0, optional: "05", rest: 8, begin: &["0456789", "456"] },
    OptionalDigits { country: "225", area: 0, optional: "07", rest: 8, begin: &["0456789", "789"] },
    OptionalDigits { country: "229", area: 0, optional: "01", rest: 8, begin: &["24569"] },
];

/// Whether there are numbers with two spellings in the country of this one.
pub(super) fn are_known(digits: &str) -> bool {
    TABLE.iter().any(|spelling| digits.starts_with(spelling.country))
}

/// The shorter spelling.
pub(super) fn key(digits: &str) -> String {
    TABLE.iter().find_map(|spelling| spelling.shorten(digits)).unwrap_or_else(|| digits.to_owned())
}

impl OptionalDigits {
    fn shorten(&self, digits: &str) -> Option<String> {
        let (area, number) = digits.strip_prefix(self.country)?.split_at_checked(self.area)?;
        let rest = number.strip_prefix(self.optional)?;
        let begins = self.begin.iter().zip(rest.chars()).all(|(allowed, digit)| allowed.contains(digit));
        (rest.len() == self.rest && begins).then(|| format!("{}{area}{rest}", self.country))
    }

    /// Its line of the SQL function `phone_key`.
    #[cfg(test)]
    fn sql(&self) -> String {
        let (country, optional) = (self.country, self.optional);
        let area = if self.area == 0 { String::new() } else { format!("[0-9]{{{}}}", self.area) };
        let begin: String = self.begin.iter().map(|allowed| format!("[{allowed}]")).collect();
        let rest = self.rest - self.begin.len();
        format!(
            "WHEN phone_number ~ '^{country}{area}{optional}{begin}[0-9]{{{rest}}}$' \
             THEN overlay(phone_number PLACING '' FROM {} FOR {})",
            country.len() + self.area + 1,
            optional.len()
        )
    }
}

#[cfg(test)]
pub(super) fn sql() -> Vec<String> {
    TABLE.iter().map(OptionalDigits::sql).collect()
}
