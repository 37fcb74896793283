//! An account's row as the machine's record.

use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, ChangeId, Desired, Fence, KeyringId, Loaded, OperatorId, PairMethod,
    PairRequest, Phone, Status, StatusReason,
};
use paird_sql::queries::accounts::LoadAccount;

use super::instant;

/// What cannot be read is left out, and the first of it told.
pub(super) fn loaded(row: LoadAccount) -> Loaded {
    let mut damage = Damage::default();
    let status = damage.unless_read("status", &row.status, Status::parse).unwrap_or(Status::Held);
    let desired = damage.unless_read("desired", &row.desired, Desired::parse).unwrap_or({
        match (row.deleted_at, row.keyring_id) {
            (Some(_), _) => Desired::Deleted,
            (None, Some(_)) => Desired::Paired,
            (None, None) => Desired::Unpaired,
        }
    });
    let pair_phone = damage.phone("pair_phone", row.pair_phone.as_deref());
    let method = match (row.pair_method.as_str(), pair_phone) {
        ("qr", _) => PairMethod::Qr,
        ("code", Some(phone)) => PairMethod::Code { phone },
        ("code", None) => {
            damage.note("pair_method is code and pair_phone is missing".to_owned());
            PairMethod::Qr
        }
        (other, _) => {
            damage.note(unknown("pair_method", other));
            PairMethod::Qr
        }
    };
    let expect_phone = damage.phone("expect_phone", row.expect_phone.as_deref());
    let attempt = row
        .pair_deadline
        .map(|deadline| Attempt { deadline: instant(deadline), request: PairRequest { method, expect_phone } });
    let record = AccountRecord {
        id: AccountId(row.id),
        operator: OperatorId(row.operator_id),
        label: row.label,
        fence: Fence(row.fence),
        status,
        // What an older version or a person wrote is kept, and damages nothing.
        reason: StatusReason::parse(&row.status_reason),
        since: instant(row.status_since),
        desired,
        next_retry_at: row.next_retry_at.map(instant),
        phone: damage.phone("phone_number", row.phone_number.as_deref()),
        last_phone: damage.phone("last_phone_number", row.last_phone_number.as_deref()),
        device_jid: row.device_jid,
        attempt,
        keyring: row.keyring_id.map(KeyringId),
        linking: row.linking_keyring_id.map(KeyringId),
        deleted_at: row.deleted_at.map(instant),
        groups_synced_at: row.groups_synced_at.map(instant),
        released_at: row.released_at.map(instant),
    };
    Loaded { record, last_change: row.last_change.map(ChangeId), damage: damage.0 }
}

/// The first thing that cannot be read, in words.
#[derive(Default)]
struct Damage(Option<String>);

impl Damage {
    fn note(&mut self, what: String) {
        self.0.get_or_insert(what);
    }

    fn unless_read<T>(&mut self, column: &str, word: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let read = read(word);
        if read.is_none() {
            self.note(unknown(column, word));
        }
        read
    }

    fn phone(&mut self, column: &str, digits: Option<&str>) -> Option<Phone> {
        // Empty is no number.
        match Phone::from_digits(digits.filter(|digits| !digits.is_empty())?) {
            Ok(phone) => Some(phone),
            Err(wrong) => {
                self.note(format!("{column}: {wrong}"));
                None
            }
        }
    }
}

fn unknown(column: &str, word: &str) -> String {
    let word: String = word.chars().take(60).collect();
    format!("unknown {column} {word:?}")
}
