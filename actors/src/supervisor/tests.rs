//! The shells together, on the fakes: actors start, crash, come back and leave.

use std::{future::Future, sync::Arc, time::Duration};

use serde_json::json;
use uuid::Uuid;

use super::{RosterPolicy, actor, handle::SupervisorHandle};
use crate::{
    clock,
    domain::{
        AccountId, AccountRecord, Command, CommandId, CommandRow, Desired, Fence, KeyringId, OperatorId, Phone, Policy,
        Secret, SessionEvent, Status, TakingId,
    },
    fakes::{FakeGateway, FakePainter, FakeStore},
};

struct Bench {
    store: Arc<FakeStore>,
    gateway: Arc<FakeGateway>,
    supervisor: SupervisorHandle,
    commands: i64,
}

/// Looks until the condition holds, twenty seconds at most.
async fn poll(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn account(nth: u128) -> AccountId {
    AccountId(Uuid::from_u128(nth))
}

fn record(nth: u128) -> AccountRecord {
    let operator = OperatorId(Uuid::from_u128(1));
    AccountRecord { fence: Fence(1), ..AccountRecord::new(account(nth), operator, format!("desk {nth}"), clock::now()) }
}

impl Bench {
    fn start(accounts: u128) -> Self {
        let store = Arc::new(FakeStore::default());
        store.rows().accounts = (1..=accounts).map(|nth| (account(nth), record(nth))).collect();
        let gateway = Arc::new(FakeGateway::default());
        let seeds = std::sync::atomic::AtomicU64::new(1);
        let supervisor = actor::start(actor::SupervisorConfig {
            store: Arc::clone(&store) as _,
            gateway: Arc::clone(&gateway) as _,
            qr: Arc::new(FakePainter),
            policy: Policy::default(),
            roster: RosterPolicy::default(),
            lease: Arc::new(|| Some(1)),
            arbiters: Vec::new(),
            runtime: tokio::runtime::Handle::current(),
            seed: Arc::new(move || seeds.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into()),
        });
        supervisor.resync();
        Self { store, gateway, supervisor, commands: 0 }
    }

    fn ask(&mut self, nth: u128, kind: &str) {
        self.commands += 1;
        let row = CommandRow {
            id: CommandId(self.commands),
            taking: TakingId(Uuid::from_u128(0)),
            account: account(nth),
            kind: kind.to_owned(),
            command: Command::parse(kind, &json!({})),
            source: "web".to_owned(),
            created_at: crate::domain::Instant(0),
        };
        self.store.rows().queued.push_back(row);
        self.supervisor.wake();
    }

    /// Wakes the supervisor as the listener would, until the condition holds.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let look = async || {
            self.supervisor.wake();
            holds(self)
        };
        poll(what, look).await;
    }

    async fn all_are_gone(&self) {
        poll("every actor has left", async || self.supervisor.headcount().await == Some(0)).await;
    }

    fn status(&self, nth: u128) -> Status {
        self.store.rows().accounts[&account(nth)].status
    }

    async fn pair(&mut self, nth: u128) {
        let before = self.gateway.opened(account(nth));
        self.ask(nth, "account.pair");
        self.until("a pairing socket", |bench| bench.gateway.opened(account(nth)) > before).await;
        let expires_at = clock::now().after(Duration::from_secs(60));
        self.gateway.say(account(nth), SessionEvent::Qr { payload: Secret::new("q"), expires_at });
        let phone = Phone::parse(&format!("43660123456{nth}")).unwrap();
        self.gateway.say(account(nth), SessionEvent::Scanned { phone, device_jid: "jid".to_owned() });
        self.gateway.say(account(nth), SessionEvent::Open { phone: None, device_jid: None });
    }
}

/// An actix system on a multi-thread runtime, as the daemon has it.
fn on_actix<F: Future<Output = ()>>(test: F) {
    let system = actix::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    system.block_on(test);
}

#[test]
fn an_account_is_paired_from_a_command_to_connected() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        assert!(matches!(bench.store.rows().finished.get(&1), Some(Ok(_))));
        assert_eq!(bench.supervisor.inspect(account(1)).await.unwrap().state, "Online");
    });
}

#[test]
fn a_panic_in_one_actor_closes_only_its_own_connection() {
    on_actix(async {
        let mut bench = Bench::start(2);
        bench.pair(2).await;
        bench.until("the other is connected", |bench| bench.status(2) == Status::Connected).await;
        bench.gateway.panic_at_next_scan();
        bench.pair(1).await;
        bench.until("the crashed one is back from its row", |bench| bench.gateway.opened(account(1)) == 2).await;
        assert_eq!(bench.status(1), Status::Pending, "its attempt goes on");
        assert_eq!(bench.status(2), Status::Connected);
        assert_eq!(bench.gateway.most_live_of_one(), 1, "never two connections of one account");
        assert_eq!(bench.gateway.live(), 2);
    });
}

#[test]
fn a_failed_write_is_retried_and_nothing_overtakes_it() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.store.rows().failing_writes = 3;
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        let events: Vec<_> = bench.store.rows().events.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(events[..2], ["session.qr", "session.connected"]);
    });
}

#[test]
fn commands_of_one_account_run_in_order_and_each_ends_once() {
    on_actix(async {
        let mut bench = Bench::start(1);
        for kind in
            ["account.pair", "account.cancel", "account.pair", "account.unpair", "account.nonsense", "account.delete"]
        {
            bench.ask(1, kind);
        }
        bench.until("all ended", |bench| bench.store.rows().finished.len() == 6).await;
        let rows = bench.store.rows();
        let failed: Vec<_> = rows.finished.iter().filter(|(_, result)| result.is_err()).map(|(id, _)| *id).collect();
        assert_eq!(failed, [5]);
        assert!(rows.accounts[&account(1)].deleted_at.is_some());
    });
}

#[test]
fn a_row_that_cannot_be_read_is_held_and_the_others_run() {
    on_actix(async {
        let mut bench = Bench::start(2);
        bench.store.rows().damaged.push(account(1));
        bench.ask(1, "account.cancel");
        bench.pair(2).await;
        bench.until("the other is connected", |bench| bench.status(2) == Status::Connected).await;
        bench.until("held", |bench| bench.status(1) == Status::Held).await;
        assert!(bench.store.rows().accounts[&account(1)].reason.to_string().contains("wat"));
        bench.until("its command is done", |bench| bench.store.rows().finished.contains_key(&1)).await;
    });
}

#[test]
fn a_permanently_refused_write_holds_only_its_account() {
    on_actix(async {
        let mut bench = Bench::start(2);
        bench.pair(2).await;
        bench.until("the other is connected", |bench| bench.status(2) == Status::Connected).await;
        bench.store.rows().refused = Some("account.pair".to_owned());
        bench.ask(1, "account.pair");
        bench.until("held", |bench| bench.status(1) == Status::Held).await;
        let ended = bench.store.rows().finished.get(&2).cloned();
        assert!(matches!(&ended, Some(Err(why)) if why.contains("never")), "the command that led to it: {ended:?}");
        bench.ask(2, "account.pair");
        bench.until("commands of others go on", |bench| bench.store.rows().finished.contains_key(&3)).await;
        bench.store.rows().refused = None;
        bench.pair(1).await;
        bench.until("the next command mends it", |bench| bench.status(1) == Status::Connected).await;
    });
}

#[test]
fn an_actor_restarts_from_a_row_that_another_has_written() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        // A late change of a former life.
        bench.store.rows().last_changes.insert(account(1), crate::domain::ChangeId(Uuid::from_u128(1)));
        let logins = bench.gateway.opened(account(1));
        bench.ask(1, "account.wave");
        bench.until("its connection is made anew", |bench| bench.gateway.opened(account(1)) > logins).await;
        assert_eq!(bench.gateway.most_live_of_one(), 1);
        bench.until("and its command ended once", |bench| bench.store.rows().finished.contains_key(&2)).await;
    });
}

#[test]
fn an_actor_that_ends_under_a_fence_leaves_its_seat() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.ask(1, "account.cancel");
        bench.until("it runs", |bench| bench.store.rows().finished.contains_key(&1)).await;
        bench.store.rows().fenced = true;
        bench.ask(1, "account.delete");
        bench.all_are_gone().await;
    });
}

#[test]
fn an_account_that_is_fenced_while_it_is_deleted_is_cut() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        bench.store.rows().fenced = true;
        bench.ask(1, "account.delete");
        bench.until("cut", |bench| bench.gateway.live() == 0).await;
        assert_eq!(bench.gateway.cut(), 1, "not closed politely: another daemon may connect already");
    });
}

/// An opening that is over in the moment of the fence: as often as not it was taken for opened,
/// and then closed at leisure.
#[test]
fn a_connection_that_opens_while_fenced_is_cut() {
    on_actix(async {
        for _ in 0..12 {
            let mut bench = Bench::start(1);
            bench.gateway.open_when_disturbed();
            bench.ask(1, "account.pair");
            bench.until("an opening", |bench| bench.gateway.slow_openings() == 1).await;
            bench.supervisor.lease_lost();
            bench.all_are_gone().await;
            assert_eq!(bench.gateway.opened(account(1)), bench.gateway.cut());
        }
    });
}

#[test]
fn a_drain_disconnects_all_and_logs_out_none() {
    on_actix(async {
        let mut bench = Bench::start(3);
        for nth in 1..=3 {
            bench.pair(nth).await;
        }
        bench.until("connected", |bench| (1..=3).all(|nth| bench.status(nth) == Status::Connected)).await;
        assert!(bench.supervisor.drain().await);
        assert_eq!(bench.gateway.live(), 0);
        assert!(bench.store.rows().accounts.values().all(|record| record.keyring().is_some()));
        assert!(bench.store.rows().accounts.values().all(|record| record.desired == Desired::Paired));
    });
}

#[test]
fn a_drain_that_is_taken_back_does_not_pass_for_done() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        let before = bench.gateway.opened(account(1));
        let undone = async { bench.supervisor.undrain() };
        let (is_drained, ()) = tokio::join!(bench.supervisor.drain(), undone);
        assert!(!is_drained);
        bench.until("another connection", |bench| bench.gateway.opened(account(1)) > before).await;
    });
}

#[test]
fn a_former_owner_closes_its_connection_and_writes_nothing() {
    on_actix(async {
        let mut bench = Bench::start(1);
        bench.pair(1).await;
        bench.until("connected", |bench| bench.status(1) == Status::Connected).await;
        bench.store.rows().fenced = true;
        bench.ask(1, "account.unpair");
        bench.until("left", |bench| bench.gateway.live() == 0).await;
        assert_eq!(bench.status(1), Status::Connected, "the row is the new owner's");
    });
}

#[test]
fn a_ticket_is_worked_off_beside_the_accounts() {
    on_actix(async {
        let bench = Bench::start(1);
        let ticket = crate::domain::TicketRecord {
            id: crate::domain::TicketId(Uuid::from_u128(7)),
            account: account(1),
            label: "desk 1".to_owned(),
            fence: Fence(1),
            keyring: KeyringId(Uuid::from_u128(8)),
            reason: "deleted".to_owned(),
            attempts: 0,
            last_error: None,
            next_retry_at: clock::now(),
            abandon_at: clock::now().after(Duration::from_secs(60)),
        };
        bench.store.rows().tickets.insert(ticket.id, ticket);
        bench.supervisor.resync();
        bench.until("its connection", |bench| bench.gateway.opened(account(1)) == 1).await;
        bench.gateway.say(account(1), SessionEvent::Open { phone: None, device_jid: None });
        bench.until("unlinked", |bench| bench.store.rows().tickets.is_empty()).await;
        assert_eq!(bench.gateway.live(), 0);
    });
}
