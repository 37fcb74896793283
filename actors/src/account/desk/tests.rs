use std::time::Duration;

use uuid::Uuid;

use super::{Beginning, Caused, Desk, Next, Task};
use crate::{
    account::lifecycle::{CommandInput, Input},
    domain::{
        AccountId, AccountRecord, Command, CommandId, Desired, Fence, Incarnation, Instant, KeyringId, Link,
        LinkedDevice, Loaded, OperatorId, Phone, Policy, Secret, SessionEvent, Status, StoreError, Written,
    },
};

const START: Instant = Instant(1_700_000_000_000);
const DONE: Result<Written, StoreError> = Ok(Written::Done { settings: None });

fn unpaired() -> AccountRecord {
    let (id, operator) = (AccountId(Uuid::from_u128(1)), OperatorId(Uuid::from_u128(2)));
    AccountRecord { fence: Fence(1), ..AccountRecord::new(id, operator, "front desk", START) }
}

/// A desk, and whether its daemon has its lease still.
struct Bench {
    desk: Desk<()>,
    now: Instant,
    is_leased: bool,
}

impl Bench {
    fn new() -> Self {
        Self::of(unpaired())
    }

    fn of(record: AccountRecord) -> Self {
        let loaded = Loaded { record, last_change: None, damage: None };
        let beginning = Beginning::of(loaded, None, Policy::default(), 7, START);
        Self { desk: Desk::new(beginning), now: START, is_leased: true }
    }

    fn next(&mut self) -> Option<Task> {
        loop {
            match self.desk.next(self.now, self.is_leased) {
                Next::Task(Caused { what, .. }) => return Some(what),
                Next::Moved { .. } => {}
                Next::Nothing => return None,
            }
        }
    }

    fn take(&mut self, input: Input) {
        self.desk.take(input, ());
    }

    fn ask(&mut self, kind: &str) {
        let command = Command::parse(kind, &serde_json::json!({}));
        self.take(Input::Command(CommandInput {
            id: CommandId(1),
            kind: kind.to_owned(),
            source: "web".to_owned(),
            command,
        }));
    }

    fn hear(&mut self, event: SessionEvent) {
        self.take(Input::Session(Incarnation(1), event));
    }

    fn writes(&mut self) {
        assert!(matches!(self.next(), Some(Task::Write { .. })));
        assert!(self.desk.on_written(DONE).is_none());
    }

    /// Up to the scan, whose keys are about to be written.
    fn scanned() -> Self {
        let mut bench = Self::new();
        bench.ask("account.pair");
        bench.writes();
        assert!(matches!(bench.next(), Some(Task::Open { .. })));
        bench.desk.on_opened(Ok(()));
        bench.hear(SessionEvent::Qr {
            payload: Secret::new("qr".to_owned()),
            expires_at: START.after(Duration::from_secs(60)),
        });
        bench.writes();
        let phone = Phone::parse("43 660 1234567").unwrap();
        bench.hear(SessionEvent::Scanned { phone, device_jid: "436601234567:1@s.whatsapp.net".to_owned() });
        assert!(matches!(bench.next(), Some(Task::Write { keys_of: Some(_), .. })));
        bench
    }
}

#[test]
fn a_link_is_confirmed_once_its_keys_are_written() {
    let mut bench = Bench::scanned();
    assert!(bench.next().is_none(), "nothing before the answer");
    bench.desk.on_written(DONE);
    assert!(matches!(bench.next(), Some(Task::ConfirmLink(_))));
}

/// The process stood still meanwhile: another daemon may have tried the keys and erased them.
#[test]
fn a_link_is_refused_if_the_lease_was_lost_meanwhile() {
    let mut bench = Bench::scanned();
    bench.desk.on_written(DONE);
    bench.is_leased = false;
    assert!(matches!(bench.next(), Some(Task::RefuseLink(_))));
}

/// While the database is away deadlines pile up behind the write that waits for it. The close
/// behind that write is given its time all the same: whatever opens next must be alone.
#[test]
fn deadlines_behind_a_long_write_do_not_cut_a_close_short() {
    let linked = AccountRecord {
        status: Status::Reconnecting,
        desired: Desired::Paired,
        link: Link::Held(LinkedDevice {
            keyring: KeyringId(Uuid::from_u128(3)),
            phone: Some(Phone::parse("43 660 1234567").unwrap()),
            jid: None,
        }),
        ..unpaired()
    };
    let mut bench = Bench::of(linked);
    assert!(matches!(bench.next(), Some(Task::Open { .. })));
    bench.desk.on_opened(Ok(()));
    bench.hear(SessionEvent::Open { phone: None, device_jid: None });
    bench.writes();
    bench.ask("account.delete");
    let Some(Task::Write { .. }) = bench.next() else { panic!("that it is being deleted is written first") };
    assert_eq!(bench.desk.deadline(), None, "nothing is stepped before the answer");

    bench.now = START.after(Duration::from_secs(300));
    bench.take(Input::Deadline);
    bench.take(Input::Deadline);
    bench.desk.on_written(DONE);
    assert!(matches!(bench.next(), Some(Task::Close(_))));
    assert!(bench.next().is_none(), "the connection is given its time to close");
    assert_eq!(bench.desk.life().state().name(), "Closing");
    bench.take(Input::SessionClosed(Incarnation(1)));
    bench.writes();
}

/// A database that is slow with the write before it takes nothing of an opening's time.
#[test]
fn an_opening_is_given_its_time_from_when_it_begins() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let Some(Task::Write { .. }) = bench.next() else { panic!("the attempt is written first") };
    bench.now = START.after(Duration::from_secs(40));
    bench.desk.on_written(DONE);
    assert!(matches!(bench.next(), Some(Task::Open { .. })));
    bench.desk.on_opened(Ok(()));
    let due = bench.desk.deadline().expect("an opening has a deadline");
    assert_eq!(due, bench.now.after(Policy::default().open_timeout));
}
