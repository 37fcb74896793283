use std::time::Duration;

use uuid::Uuid;

use super::{Answer, Author, Task};
use crate::{
    account::lifecycle::{CommandInput, Input},
    desk::{Desk, Next, Retrying},
    domain::{
        AccountId, AccountRecord, Command, CommandId, Desired, Ending, Fence, Incarnation, Instant, KeyringId, Link,
        LinkedDevice, Loaded, OperatorId, Phone, Policy, Secret, SessionEvent, Status, StoreError, Write, Written,
    },
};

const START: Instant = Instant(1_700_000_000_000);

fn unpaired() -> AccountRecord {
    let (id, operator) = (AccountId(Uuid::from_u128(1)), OperatorId(Uuid::from_u128(2)));
    AccountRecord { fence: Fence(1), ..AccountRecord::new(id, operator, "front desk", START) }
}

/// A desk, and whether its daemon has its lease still.
struct Bench {
    desk: Desk<Author, ()>,
    now: Instant,
    is_leased: bool,
}

impl Bench {
    fn new() -> Self {
        Self::of(unpaired())
    }

    fn of(record: AccountRecord) -> Self {
        let loaded = Loaded { record, last_change: None, damage: None };
        let (author, first) = Author::of(loaded, None, Policy::default(), 7, START);
        Self { desk: Desk::new(author, first, ()), now: START, is_leased: true }
    }

    fn next(&mut self) -> Option<Task> {
        loop {
            match self.desk.next(self.now, self.is_leased) {
                Next::Task { task, .. } => return Some(task),
                Next::Moved { .. } => {}
                Next::End(_) | Next::Nothing => return None,
            }
        }
    }

    fn take(&mut self, input: Input) {
        self.desk.take(input, None);
    }

    fn ask(&mut self, kind: &str) {
        let command = Command::parse(kind, &serde_json::json!({}));
        self.take(Input::Command(CommandInput {
            id: CommandId(1),
            kind: kind.to_owned(),
            source: "web".to_owned(),
            command,
            created_at: Instant(0),
        }));
    }

    fn hear(&mut self, event: SessionEvent) {
        self.take(Input::Session(Incarnation(1), event));
    }

    fn writes(&mut self) {
        let Some(Task::Write(write)) = self.next() else { panic!("nothing is written") };
        self.written(write);
    }

    fn written(&mut self, write: Box<Write>) {
        assert_eq!(self.answer(Answer::Written(write, Ok(Written::Done { settings: None }))), None);
    }

    fn claimed(&mut self, write: Box<Write>) {
        let done = Ok(Written::Done { settings: None });
        assert_eq!(self.answer(Answer::Claimed(Incarnation(1), write, done)), None);
    }

    fn opens(&mut self) {
        assert!(matches!(self.next(), Some(Task::Open { .. })));
        self.answer(Answer::Opened(Incarnation(1), Ok(())));
    }

    fn answer(&mut self, answer: Answer) -> Option<Retrying> {
        self.desk.on_answer(answer, self.now)
    }

    /// Up to the scan, whose keys are written.
    fn scanned() -> (Self, Box<Write>) {
        let mut bench = Self::new();
        bench.ask("account.pair");
        bench.writes();
        bench.opens();
        bench.hear(SessionEvent::Qr {
            payload: Secret::new("qr".to_owned()),
            expires_at: START.after(Duration::from_secs(60)),
        });
        bench.writes();
        let phone = Phone::parse("43 660 1234567").unwrap();
        bench.hear(SessionEvent::Scanned { phone, device_jid: "436601234567:1@s.whatsapp.net".to_owned() });
        let Some(Task::Claim { write, keys_of: Some(_), .. }) = bench.next() else { panic!("no keys are written") };
        (bench, write)
    }
}

#[test]
fn a_link_is_confirmed_once_its_keys_are_written() {
    let (mut bench, write) = Bench::scanned();
    assert!(bench.next().is_none(), "nothing before the answer");
    bench.claimed(write);
    assert!(matches!(bench.next(), Some(Task::ConfirmLink(_))));
}

/// The process stood still meanwhile: another daemon may have tried the keys and erased them.
#[test]
fn a_link_is_refused_if_the_lease_was_lost_meanwhile() {
    let (mut bench, write) = Bench::scanned();
    bench.claimed(write);
    bench.is_leased = false;
    assert!(matches!(bench.next(), Some(Task::RefuseLink(_))));
}

/// While the database is unavailable, deadlines pile up behind the waiting write. The close after
/// it must still get its full time, so that the next connection is opened only after it.
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
    bench.opens();
    bench.hear(SessionEvent::Open { phone: None, device_jid: None });
    bench.writes();
    bench.ask("account.delete");
    let Some(Task::Write(write)) = bench.next() else { panic!("that it is being deleted is written first") };
    assert_eq!(bench.desk.deadline(), None, "nothing is stepped before the answer");

    bench.now = START.after(Duration::from_secs(300));
    bench.take(Input::Deadline);
    bench.take(Input::Deadline);
    bench.written(write);
    assert!(matches!(bench.next(), Some(Task::Close(_))));
    assert!(bench.next().is_none(), "the connection is given its time to close");
    assert_eq!(bench.desk.work().life().state().name(), "Closing");
    bench.take(Input::SessionClosed(Incarnation(1)));
    bench.writes();
}

/// A database that is slow with the write before it takes nothing of an opening's time.
#[test]
fn an_opening_is_given_its_time_from_when_it_begins() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let Some(Task::Write(write)) = bench.next() else { panic!("the attempt is written first") };
    bench.now = START.after(Duration::from_secs(40));
    bench.written(write);
    bench.opens();
    let due = bench.desk.deadline().expect("an opening has a deadline");
    assert_eq!(due, bench.now.after(Policy::default().open_timeout));
}

/// Retried as it was, by name: an answer that was lost may have been a yes.
#[test]
fn a_write_without_an_answer_is_repeated_after_a_pause() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let Some(Task::Write(write)) = bench.next() else { panic!("the attempt is written first") };
    let (id, away) = (write.id, || StoreError::Unavailable("away".to_owned()));
    let retrying = |is_first| Some(Retrying { why: "away".to_owned(), is_first });
    assert_eq!(bench.answer(Answer::Written(write, Err(away()))), retrying(true));
    for _ in 0..3 {
        assert!(bench.next().is_none(), "nothing overtakes it");
        bench.now = bench.desk.deadline().expect("a retry has its time");
        bench.desk.on_deadline();
        let Some(Task::Write(write)) = bench.next() else { panic!("it is repeated") };
        assert_eq!(write.id, id);
        assert_eq!(bench.answer(Answer::Written(write, Err(away()))), retrying(false));
    }
    bench.now = bench.now.after(Duration::from_secs(2));
    bench.writes();
    bench.opens();
}

#[test]
fn a_fence_ends_the_wait_for_an_unanswered_write() {
    let mut bench = Bench::new();
    bench.ask("account.pair");
    let Some(Task::Write(write)) = bench.next() else { panic!("the attempt is written first") };
    bench.answer(Answer::Written(write, Err(StoreError::Unavailable("away".to_owned()))));
    bench.desk.fence();
    assert!(matches!(bench.next(), Some(Task::Cut(_))), "neither the write nor the opening behind it");
    bench.take(Input::SessionClosed(Incarnation(1)));
    assert!(matches!(bench.desk.next(bench.now, false), Next::Moved { .. }));
    assert!(matches!(bench.desk.next(bench.now, false), Next::End(Ending::Done)));
}
