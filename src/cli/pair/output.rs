//! Progress of a pair attempt: drawn for a person, lines of JSON for a program.

use paird_sql::queries::cli::{ListedAccount, Pairing};
use serde_json::{Value, json};

use super::{Format, PairResult, Screen, out, setback};

pub(super) struct Output {
    format: Format,
    account: Value,
    label: String,
    screen: Screen,
    /// The last document printed: only a different one is printed next.
    last: Value,
}

impl Output {
    pub(super) fn new(format: Format, account: &ListedAccount) -> Self {
        Self {
            format,
            account: json!(account.id),
            label: account.label.clone(),
            screen: Screen::new(&account.label),
            last: Value::Null,
        }
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn show(&mut self, row: &Pairing) -> anyhow::Result<()> {
        match self.format {
            Format::Text => self.screen.show(row),
            Format::Json => {
                let now = self.document(row);
                if now != self.last {
                    out::json(&now);
                    self.last = now;
                }
                Ok(())
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.screen.clear();
    }

    pub(super) fn end(&mut self, ending: &PairResult) {
        self.screen.clear();
        let document = json!({
            "type": "end",
            "accountId": self.account,
            "label": self.label,
            "outcome": ending.outcome(),
            "exitCode": ending.exit.code(),
            "words": ending.words,
        });
        self.format.tell(format_args!("{}: {}", self.label, ending.words), &document);
    }

    fn document(&self, row: &Pairing) -> Value {
        json!({
            "type": "attempt",
            "accountId": self.account,
            "label": self.label,
            "status": row.status,
            "statusReason": row.status_reason,
            "qrPng": row.last_qr_png,
            "qrExpiresAt": row.qr_expires_at,
            "pairCode": row.pair_code,
            "pairDeadline": row.pair_deadline,
            "setback": setback(row),
        })
    }
}
