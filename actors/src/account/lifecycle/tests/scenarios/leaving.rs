//! An account that is deleted, moves to another daemon, or cannot be written.

use super::{
    super::{super::*, *},
    changes, close_of, pairing_until, rows,
};
use crate::domain::{CloseReason, KeyringId, TicketReason, Trouble};

#[test]
fn a_deleted_account_leaves_the_lists_before_its_socket_closes() {
    let mut bench = Bench::paired();
    let keyring = bench.life.record().keyring().unwrap();
    let effects = bench.ask("account.delete").to_vec();
    assert!(rows(&effects)[0].deleted_at.is_some());
    assert!(matches!(effects.last(), Some(Effect::Close(_))));
    assert!(bench.events().is_empty());
    bench.closed();
    assert_eq!(bench.events(), ["account.deleted"]);
    assert_eq!(changes(&bench.effects)[0].tickets, [(keyring, TicketReason::Deleted)]);
    assert!(changes(&bench.effects)[0].erase.is_empty(), "unlink first, then erase");
    assert_eq!(bench.effects.last(), Some(&Effect::Retire));
}

#[test]
fn a_quick_move_between_daemons_is_not_reported() {
    let mut bench = Bench::paired();
    bench.feed(Input::HandOver);
    bench.closed();
    assert!(bench.events().is_empty());
    let released = rows(&bench.effects)[0].clone();
    assert_eq!((released.status, released.released_at), (Status::Reconnecting, Some(bench.now)));

    let mut heir = Bench::with(released.clone(), Policy::default());
    assert_eq!(heir.state(), "Connecting");
    heir.open();
    assert!(heir.events().is_empty(), "consumers never heard that it was gone");
    assert_eq!((heir.life.record().status, heir.life.record().released_at), (Status::Connected, None));
}

#[test]
fn a_slow_move_is_reported_after_fifteen_seconds() {
    let mut bench = Bench::paired();
    bench.feed(Input::HandOver);
    bench.closed();
    let released = rows(&bench.effects)[0].clone();
    let mut heir = Bench::with(released.clone(), Policy::default());
    heir.pass(Duration::from_secs(15));
    assert_eq!((heir.events(), heir.state()), (vec!["session.disconnected"], "Connecting"));
    heir.open();
    assert_eq!(heir.events(), ["session.connected"]);

    let mut heir = Bench::with(released.clone(), Policy::default());
    heir.hear(SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) });
    heir.closed();
    assert_eq!(heir.events(), ["session.disconnected"], "the login failed: that is no move any more");

    let mut bench = Bench::paired();
    bench.feed(Input::Drain);
    bench.closed();
    assert_eq!(bench.events(), ["session.disconnected"], "nobody is there to go on");
}

#[test]
fn a_fenced_account_is_cut_even_while_it_closes() {
    let mut bench = Bench::paired();
    bench.ask("account.unpair");
    let of = bench.incarnation();
    assert_eq!(close_of(&bench.effects), Some(of));
    assert_eq!(bench.feed(Input::Fenced), [Effect::Cut(of)]);
    assert_eq!(bench.closed(), [Effect::Retire], "and nothing is written");
}

#[test]
fn a_deletion_is_settled_when_its_last_ticket_is_closed() {
    let deleting = AccountRecord {
        status: Status::Deleting,
        desired: Desired::Deleted,
        deleted_at: Some(START),
        ..fresh_record()
    };
    let mut bench = Bench::with(deleting, Policy::default());
    let (row, settled) = (rows(&bench.effects)[0], changes(&bench.effects)[0]);
    assert_eq!((row.status, settled.deletes), (Status::Unpaired, true), "unless a ticket is open");
    assert!(settled.events.is_empty());
    assert_eq!(bench.state(), "Deleted");
    bench.ask("account.delete");
    assert_eq!(bench.effects.last(), Some(&Effect::Retire));
}

#[test]
fn an_unwritable_account_is_held_with_a_minimal_change() {
    let link = pairing_until(START.after(Duration::from_secs(60)), None);
    let pending = AccountRecord { status: Status::Pending, link, ..fresh_record() };
    let trouble = |is_muted| Trouble {
        reason: StatusReason::new(Reason::WriteRefused, "the database refused it"),
        commands: vec![crate::domain::Finished {
            command: CommandId(7),
            kind: "account.cancel".to_owned(),
            result: Ok("cancelled".to_owned()),
        }],
        is_muted,
    };
    let hold = |trouble| {
        let (life, effects) = Lifecycle::hold(pending.clone(), Policy::default(), SEED, START, trouble);
        Bench { life, now: START, effects, commands: 0 }
    };
    let held = hold(trouble(false));
    assert_eq!((held.state(), held.life.record().status), ("Held", Status::Held));
    assert_eq!(held.events(), ["session.failed", "session.held", "command.failed"]);
    let muted = hold(trouble(true));
    assert!(muted.events().is_empty() && changes(&muted.effects)[0].audit.is_empty());
    assert!(changes(&muted.effects)[0].finished[0].result.is_err(), "the command ends all the same");
    let row = held.life.record().clone();
    let again = Trouble { commands: Vec::new(), ..trouble(false) };
    let (_, effects) = Lifecycle::hold(row, Policy::default(), SEED, START, again);
    assert!(effects.is_empty(), "told once");
}

#[test]
fn a_link_that_the_smallest_write_left_gets_its_ticket() {
    let keyring = KeyringId(Uuid::from_u128(9));
    let link = pairing_until(START.after(Duration::from_secs(60)), Some(keyring));
    let row = AccountRecord { status: Status::Pending, link, ..fresh_record() };
    for kind in ["account.pair", "account.resume", "account.unpair", "account.delete", "groups.sync"] {
        let trouble = Trouble { reason: Reason::RowUnreadable.into(), commands: Vec::new(), is_muted: true };
        let (life, effects) = Lifecycle::hold(row.clone(), Policy::default(), SEED, START, trouble);
        let mut bench = Bench { life, now: START, effects, commands: 0 };
        bench.ask(kind);
        let tickets: Vec<_> = changes(&bench.effects).iter().flat_map(|change| change.tickets.clone()).collect();
        assert_eq!(tickets, [(keyring, TicketReason::LeftBehind)], "{kind}");
        assert_eq!((bench.life.record().linking(), bench.life.record().phone()), (None, None), "{kind}");
    }
}
