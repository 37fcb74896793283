//! Writes a list of accounts.

use std::borrow::Cow;

use chrono::SecondsFormat;
use csv::Writer;
use paird_sql::queries::console::ShownAccount;

use crate::proxy_address::ProxyAddress;

/// The first six are those of a file that adds accounts.
const COLUMNS: [&str; 12] = [
    "label",
    "expect_phone",
    "proxy",
    "operator",
    "tags",
    "device_name",
    "status",
    "reason",
    "phone",
    "last_phone",
    "id",
    "created_at",
];

/// The accounts as CSV (RFC 4180) with a header. A cell that a spreadsheet would take for a formula has
/// an apostrophe in front; numbers are digits alone. `shown` is what becomes of a text of others before.
///
/// # Errors
/// A cell cannot be written.
pub(crate) fn write(accounts: &[ShownAccount], shown: impl Fn(&str) -> Cow<'_, str>) -> Result<Vec<u8>, csv::Error> {
    let mut file = Vec::new();
    let mut writer = Writer::from_writer(&mut file);
    writer.write_record(COLUMNS)?;
    for account in accounts {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            account.label.clone(),
            optional(&account.desired_phone),
            account.proxy.as_deref().map(ProxyAddress::shown).unwrap_or_default(),
            account.operator_id.to_string(),
            account.tags.join(", "),
            optional(&account.device_name),
            account.status.clone(),
            account.status_reason.clone(),
            optional(&account.phone_number),
            optional(&account.last_phone_number),
            account.id.to_string(),
            account.created_at.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true),
        ];
        writer.write_record(cells.iter().map(|cell| no_formula(&shown(cell)).into_owned()))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(file)
}

/// A stranger may have chosen the text: no spreadsheet computes it.
fn no_formula(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+43", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(no_formula(text), format!("'{text}"));
        }
        for text in ["", "436601234567", "desk", "a=b", "'x"] {
            assert_eq!(no_formula(text), text);
        }
    }
}
