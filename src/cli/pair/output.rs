//! Progress of a pair attempt: drawn for a person, lines of JSON for a program.

use paird_sql::queries::cli::{ListedAccount, Pairing};
use serde_json::{Value, json};

use super::{Elsewhere, Format, PairResult, PngFile, Screen, out, quoted, setback};

pub(super) struct Output {
    format: Format,
    account: Value,
    label: String,
    screen: Screen,
    png: Option<PngFile>,
    /// The last document printed: only a different one is printed next.
    last: Value,
}

impl Output {
    /// `console` is the address of the console on this machine, if there is one.
    pub(super) fn new(format: Format, account: &ListedAccount, png: Option<PngFile>, console: Option<String>) -> Self {
        let elsewhere = Elsewhere { file: png.as_ref().map(PngFile::shown), label: quoted(&account.label), console };
        Self {
            format,
            account: json!(account.id),
            label: account.label.clone(),
            screen: Screen::new(&account.label, elsewhere),
            png,
            last: Value::Null,
        }
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn show(&mut self, row: &Pairing) -> anyhow::Result<()> {
        if let Some(why) = self.png.as_mut().and_then(|file| file.show(row.last_qr_png.as_deref())) {
            self.screen.clear();
            self.format.remark(why);
        }
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
        // A QR that is over must not be scanned.
        self.png = None;
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
            "pngFile": self.png.as_ref().filter(|_| row.last_qr_png.is_some()).map(PngFile::shown),
            "pairCode": row.pair_code,
            "pairDeadline": row.pair_deadline,
            "setback": setback(row),
        })
    }
}
