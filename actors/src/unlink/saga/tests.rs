use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::diagram::{Edge, compare};
use crate::domain::{AccountId, Fence, TicketId};

const NOW: Instant = Instant(1_700_000_000_000);

fn ticket() -> TicketRecord {
    TicketRecord {
        id: TicketId(Uuid::from_u128(1)),
        account: AccountId(Uuid::from_u128(2)),
        label: "front desk".to_owned(),
        fence: Fence(1),
        keyring: KeyringId(Uuid::from_u128(3)),
        reason: "deleted".to_owned(),
        attempts: 0,
        last_error: None,
        next_retry_at: NOW,
        abandon_at: NOW.after(Duration::from_secs(14 * 86_400)),
    }
}

fn open() -> SessionEvent {
    SessionEvent::Open { phone: None, device_jid: None }
}

#[test]
fn keys_are_erased_after_whatsapp_confirmed_and_the_close() {
    let (mut saga, first) = Saga::resume(ticket(), Policy::default(), 1, NOW);
    let of = Incarnation(1);
    assert_eq!(first, [Effect::Open { incarnation: of, keyring: ticket().keyring }]);
    assert_eq!(saga.step(Input::Session(of, open()), NOW), [Effect::Unlink(of)]);
    assert_eq!(saga.step(Input::Answered(of, UnlinkAnswer::Gone("ok".to_owned())), NOW), [Effect::Close(of)]);
    let unlinked = TicketOutcome::Unlinked { reason: "ok".to_owned() };
    assert_eq!(saga.step(Input::SessionClosed(of), NOW), [Effect::Record(unlinked), Effect::Retire]);
}

#[test]
fn a_device_that_the_phone_removed_already_is_done() {
    let (mut saga, _) = Saga::resume(ticket(), Policy::default(), 1, NOW);
    let of = Incarnation(1);
    let gone = SessionEvent::Ended { reason: CloseReason::LoggedOut("401".to_owned()) };
    saga.step(Input::Session(of, gone), NOW);
    let effects = saga.step(Input::SessionClosed(of), NOW);
    assert!(matches!(effects.first(), Some(Effect::Record(TicketOutcome::Unlinked { .. }))), "{effects:?}");
}

#[test]
fn a_lost_answer_is_retried_with_backoff_until_the_deadline() {
    let (mut saga, mut effects) = Saga::resume(ticket(), Policy::default(), 1, NOW);
    let mut now = NOW;
    let mut tries = 0;
    loop {
        match effects.first() {
            Some(Effect::Open { incarnation, .. }) => {
                let of = *incarnation;
                tries += 1;
                saga.step(Input::Session(of, open()), now);
                saga.step(Input::Answered(of, UnlinkAnswer::Unknown("no answer".to_owned())), now);
                saga.step(Input::SessionClosed(of), now);
                now = saga.deadline().unwrap();
                effects = saga.step(Input::Deadline, now);
            }
            Some(Effect::Record(TicketOutcome::Abandoned { .. })) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(now >= ticket().abandon_at && tries > 100, "{tries} tries until {now:?}");
    assert_eq!(effects.last(), Some(&Effect::Retire));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_gives_the_keys_up_without_a_word_from_whatsapp(moments in proptest::collection::vec((0..9u8, 0..3u64, 0..200_000u64), 1..80)) {
        let (mut saga, first) = Saga::resume(ticket(), Policy::default(), 1, NOW);
        let (mut now, mut live, mut gone, mut retired) = (NOW, None, false, false);
        let mut judge = |effects: &[Effect], gone: bool, live: &mut Option<Incarnation>| {
            for effect in effects {
                assert!(!retired, "an effect after Retire");
                match effect {
                    Effect::Open { incarnation, .. } => assert_eq!(live.replace(*incarnation), None, "two connections"),
                    Effect::Close(of) | Effect::Cut(of) => assert_eq!(*live, Some(*of)),
                    Effect::Record(TicketOutcome::Unlinked { .. }) => assert!(gone, "erased before WhatsApp confirmed"),
                    Effect::Retire => retired = true,
                    Effect::Unlink(of) => assert_eq!(*live, Some(*of)),
                    Effect::Record(TicketOutcome::Failed { .. } | TicketOutcome::Abandoned { .. }) => {}
                }
            }
        };
        judge(&first, gone, &mut live);
        for (kind, back, later) in moments {
            now = now.after(Duration::from_millis(later));
            let of = Incarnation(saga.incarnation.0.saturating_sub(back));
            let input = match kind {
                0 | 1 => Input::Session(of, open()),
                2 => Input::Session(of, SessionEvent::Ended { reason: CloseReason::LoggedOut("401".to_owned()) }),
                3 => Input::Session(of, SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) }),
                4 => Input::Answered(of, UnlinkAnswer::Gone("ok".to_owned())),
                5 => Input::Answered(of, UnlinkAnswer::Unknown("no answer".to_owned())),
                6 => Input::SessionClosed(of),
                7 if later < 4_000 => Input::Leave,
                7 if later < 6_000 => Input::Fenced,
                _ => Input::Deadline,
            };
            let said_gone = matches!(
                &input,
                Input::Session(_, SessionEvent::Ended { reason: CloseReason::LoggedOut(_) })
                    | Input::Answered(_, UnlinkAnswer::Gone(_))
            );
            gone |= said_gone && of == saga.incarnation;
            // A close that takes too long is taken for done.
            let closing = matches!(saga.state, State::Closing { .. });
            let due = saga.deadline();
            let is_due = input == Input::Deadline && due.is_some_and(|due| due <= now);
            if closing && (input == Input::SessionClosed(saga.incarnation) || is_due) {
                live = None;
            }
            let stuck = input == Input::Deadline && due.is_some_and(|due| due <= now);
            let is_fenced = input == Input::Fenced;
            let effects = saga.step(input, now);
            let writes = effects.iter().any(|effect| matches!(effect, Effect::Record(_)));
            prop_assert!(!is_fenced || !writes, "a write after the account was lost");
            judge(&effects, gone, &mut live);
            prop_assert!(!stuck || saga.deadline() != due || matches!(saga.state, State::Gone), "no progress");
        }
    }
}

/// Every change of state that generated histories brought about; always the same ones.
fn observed() -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for history in 1..2_000u64 {
        let (mut saga, _) = Saga::resume(ticket(), Policy::default(), 1, NOW);
        let (mut now, mut draw) = (NOW, history.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..40 {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            let of = saga.incarnation;
            let input = match draw % 9 {
                0 | 1 => Input::Session(of, open()),
                2 => Input::Session(of, SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) }),
                3 => Input::Answered(of, UnlinkAnswer::Gone("ok".to_owned())),
                4 => Input::Answered(of, UnlinkAnswer::Unknown("no answer".to_owned())),
                5 => Input::SessionClosed(of),
                6 if draw % 7 == 0 => Input::Leave,
                7 if draw % 7 == 0 => Input::Fenced,
                _ => Input::Deadline,
            };
            if input == Input::Deadline {
                now = saga.deadline().unwrap_or(now).max(now);
            }
            let before = saga.state().name();
            saga.step(input, now);
            let after = saga.state().name();
            if before != after {
                edges.insert((before.to_owned(), after.to_owned()));
            }
        }
    }
    edges
}

#[test]
fn the_readme_draws_every_transition_of_a_ticket() {
    compare("Asking", &observed());
}
