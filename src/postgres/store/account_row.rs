//! An account's row as the machine's record, and the record as a row.

use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, ChangeId, Desired, Fence, Instant, KeyringId, Link, LinkedDevice, Loaded,
    OperatorId, PairMethod, PairRequest, Phone, Status, StatusReason,
};
use paird_sql::queries::accounts::LoadAccount;

use super::{instant, strip_nul};

/// Columns that cannot be read are left out, and the first of them is reported.
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
    let columns = LinkColumns {
        keyring: row.keyring_id.map(KeyringId),
        linking: row.linking_keyring_id.map(KeyringId),
        phone: row.phone_number,
        device_jid: row.device_jid,
        deadline: row.pair_deadline.map(instant),
        method: row.pair_method,
        pair_phone: row.pair_phone,
        expect_phone: row.expect_phone,
    };
    let record = AccountRecord {
        id: AccountId(row.id),
        operator: OperatorId(row.operator_id),
        label: row.label,
        fence: Fence(row.fence),
        status,
        // Any text is accepted here, since an older version or a person may have written it.
        reason: StatusReason::parse(&row.status_reason),
        since: instant(row.status_since),
        desired,
        next_retry_at: row.next_retry_at.map(instant),
        link: columns.read(&mut damage),
        last_phone: damage.phone("last_phone_number", row.last_phone_number.as_deref()),
        deleted_at: row.deleted_at.map(instant),
        groups_synced_at: row.groups_synced_at.map(instant),
        released_at: row.released_at.map(instant),
    };
    Loaded { record, last_change: row.last_change.map(ChangeId), damage: damage.0 }
}

/// The columns that are one [`Link`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LinkColumns {
    pub keyring: Option<KeyringId>,
    pub linking: Option<KeyringId>,
    pub phone: Option<String>,
    pub device_jid: Option<String>,
    pub deadline: Option<Instant>,
    pub method: String,
    pub pair_phone: Option<String>,
    pub expect_phone: Option<String>,
}

impl LinkColumns {
    pub fn of(record: &AccountRecord) -> Self {
        let digits = |phone: &Phone| phone.digits().to_owned();
        let request = record.attempt().map(|attempt| &attempt.request);
        let (method, pair_phone) = match request.map(|request| &request.method) {
            None | Some(PairMethod::Qr) => ("qr", None),
            Some(PairMethod::Code { phone }) => ("code", Some(digits(phone))),
        };
        Self {
            keyring: record.keyring(),
            linking: record.linking(),
            phone: record.phone().map(digits),
            device_jid: record.device_jid().map(strip_nul::text),
            deadline: record.attempt().map(|attempt| attempt.deadline),
            method: method.to_owned(),
            pair_phone,
            expect_phone: request.and_then(|request| request.expect_phone.as_ref()).map(digits),
        }
    }

    fn read(self, damage: &mut Damage) -> Link {
        let request = self.request(damage);
        let phone = damage.phone("phone_number", self.phone.as_deref());
        let jid = self.device_jid;
        let linking = self.linking.filter(|linking| {
            let is_fresh = self.keyring != Some(*linking);
            if !is_fresh {
                damage.note("linking_keyring_id is keyring_id".to_owned());
            }
            is_fresh
        });
        match (self.deadline, linking, self.keyring) {
            (Some(deadline), linking, parked) => {
                // A number without a device is what an older version claimed before it had keys.
                let device = linking.map(|keyring| LinkedDevice { keyring, phone, jid });
                Link::Pairing { attempt: Attempt { deadline, request, device }, parked }
            }
            (None, Some(keyring), parked) => Link::LeftBehind { device: LinkedDevice { keyring, phone, jid }, parked },
            (None, None, Some(keyring)) => Link::Held(LinkedDevice { keyring, phone, jid }),
            (None, None, None) => {
                for (column, is_set) in [("phone_number", phone.is_some()), ("device_jid", jid.is_some())] {
                    if is_set {
                        damage.note(format!("{column} is set, and neither keyring_id nor linking_keyring_id is"));
                    }
                }
                Link::None
            }
        }
    }

    fn request(&self, damage: &mut Damage) -> PairRequest {
        let pair_phone = damage.phone("pair_phone", self.pair_phone.as_deref());
        let method = match (self.method.as_str(), pair_phone) {
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
        PairRequest { method, expect_phone: damage.phone("expect_phone", self.expect_phone.as_deref()) }
    }
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
        // An empty string counts as no number.
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn keyring(nth: u128) -> KeyringId {
        KeyringId(Uuid::from_u128(nth))
    }

    fn phone() -> Phone {
        Phone::parse("436601234567").unwrap()
    }

    fn record(link: Link) -> AccountRecord {
        let (id, operator) = (AccountId(Uuid::from_u128(1)), OperatorId(Uuid::from_u128(2)));
        AccountRecord { link, ..AccountRecord::new(id, operator, "desk", Instant(1)) }
    }

    fn read(columns: LinkColumns) -> (Link, Option<String>) {
        let mut damage = Damage::default();
        let link = columns.read(&mut damage);
        (link, damage.0)
    }

    #[test]
    fn every_link_is_read_back_from_its_columns() {
        let device = |nth| LinkedDevice { keyring: keyring(nth), phone: Some(phone()), jid: Some("jid".to_owned()) };
        let attempt = |method, device| Attempt {
            deadline: Instant(7),
            request: PairRequest { method, expect_phone: Some(phone()) },
            device,
        };
        let by_code = PairMethod::Code { phone: phone() };
        for link in [
            Link::None,
            Link::parked(Some(keyring(1))),
            Link::Held(device(1)),
            Link::Held(LinkedDevice { phone: None, ..device(1) }),
            Link::Pairing { attempt: attempt(PairMethod::Qr, None), parked: None },
            Link::Pairing { attempt: attempt(by_code, Some(device(2))), parked: Some(keyring(1)) },
            Link::LeftBehind { device: device(2), parked: None },
            Link::LeftBehind { device: device(2), parked: Some(keyring(1)) },
        ] {
            let columns = LinkColumns::of(&record(link.clone()));
            assert_eq!(read(columns), (link, None));
        }
    }

    #[test]
    fn columns_that_cannot_be_together_are_reported() {
        let none = LinkColumns::of(&record(Link::None));
        let digits = Some("436601234567".to_owned());
        for (columns, expected) in [
            (LinkColumns { phone: digits.clone(), ..none.clone() }, "phone_number is set"),
            (LinkColumns { device_jid: Some("jid".to_owned()), ..none.clone() }, "device_jid is set"),
            (LinkColumns { method: "code".to_owned(), ..none.clone() }, "pair_phone is missing"),
        ] {
            let (link, damage) = read(columns);
            assert_eq!(link, Link::None);
            assert!(damage.as_ref().is_some_and(|why| why.contains(expected)), "{damage:?}");
        }
        let (link, damage) =
            read(LinkColumns { keyring: Some(keyring(1)), linking: Some(keyring(1)), phone: digits, ..none });
        assert_eq!(damage.as_deref(), Some("linking_keyring_id is keyring_id"));
        assert!(matches!(link, Link::Held(_)), "the keys stay: {link:?}");
    }

    #[test]
    fn a_number_claimed_before_there_were_keys_is_dropped() {
        let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
        let attempt = Attempt { deadline: Instant(7), request, device: None };
        let link = Link::Pairing { attempt, parked: Some(keyring(1)) };
        let columns = LinkColumns::of(&record(link.clone()));
        assert_eq!(read(LinkColumns { phone: Some("436601234567".to_owned()), ..columns }), (link, None));
    }
}
