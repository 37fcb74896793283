use serde_json::Value;

/// A line of `audit_log`. Operator, label and target are added by the statement
/// that writes it, from the account's row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Who asked: `web`, `cli`, `paird` for what nobody asked.
    pub source: String,
    /// `account.paired`, `account.unpaired`, …
    pub action: &'static str,
    /// WhatsApp's raw reason, where there is one.
    pub raw: Option<String>,
    /// What else belongs to it; an object.
    pub payload: Value,
}
