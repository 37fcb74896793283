//! What commands ask of a live connection.

use super::{super::*, *};
use crate::domain::{CheckedContact, CloseReason, Finished, OnlineAnswer, OnlineError};

const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    /// The commands that a connection is asked for now, with the connection.
    fn asked(&self) -> Vec<(u64, i64)> {
        let asked = self.effects.iter().filter_map(|effect| {
            if let Effect::Ask { incarnation, command, .. } = effect { Some((incarnation.0, command.0)) } else { None }
        });
        asked.collect()
    }

    fn answered(&mut self, command: i64, outcome: Result<OnlineAnswer, OnlineError>) -> &[Effect] {
        self.feed(Input::Answered(self.life.incarnation, CommandId(command), outcome))
    }

    /// How commands end now.
    fn ended(&self) -> Vec<(i64, Result<String, String>)> {
        let changes = self
            .effects
            .iter()
            .filter_map(|effect| if let Effect::Record(update) = effect { Some(&update.change) } else { None });
        let ended = changes.flat_map(|change| &change.finished);
        ended.map(|Finished { command, result, .. }| (command.0, result.clone())).collect()
    }

    fn loses(&mut self) {
        self.hear(SessionEvent::Ended { reason: CloseReason::SocketLost("reset".to_owned()) });
    }
}

fn refused(id: i64, why: &str) -> Vec<(i64, Result<String, String>)> {
    vec![(id, Err(why.to_owned()))]
}

#[test]
fn reading_and_typing_are_asked_of_the_connection_at_once() {
    let mut bench = Bench::paired();
    bench.now = START;
    for (kind, answer) in
        [("chat.read", OnlineAnswer::Read { messages: 2 }), ("chat.typing", OnlineAnswer::TypingShown)]
    {
        bench.ask(kind);
        let id = bench.commands;
        assert_eq!(bench.asked(), [(bench.incarnation().0, id)]);
        bench.answered(id, Ok(answer.clone()));
        assert_eq!(bench.ended(), [(id, Ok(answer.text()))]);
        assert!(bench.answered(id, Ok(answer)).is_empty(), "an answer that comes twice");
    }
}

#[test]
fn of_one_kind_one_is_under_way_at_a_time() {
    let mut bench = Bench::paired();
    bench.ask("chat.read");
    let first = bench.commands;
    assert_eq!(bench.asked().len(), 1);
    bench.ask("chat.read");
    assert_eq!(bench.asked(), []);
    bench.ask("chat.typing");
    assert_eq!(bench.asked(), [(bench.incarnation().0, first + 2)], "another kind does not wait");
    bench.answered(first, Err(OnlineError::NoSuchMessage));
    assert_eq!(bench.ended(), refused(first, "upTo: there is no such message in this chat"));
    assert_eq!(bench.events(), ["command.failed"]);
    assert_eq!(bench.asked(), [(bench.incarnation().0, first + 1)]);
}

#[test]
fn typing_fails_at_once_without_a_connection() {
    for mut bench in [Bench::new(), {
        let mut lost = Bench::paired();
        lost.loses();
        lost.closed();
        assert_eq!(lost.state(), "Reconnecting");
        lost
    }] {
        bench.ask("chat.typing");
        assert_eq!((bench.asked(), bench.ended()), (vec![], refused(bench.commands, "the account is not connected")));
    }
}

#[test]
fn typing_is_never_sent_late() {
    let mut bench = Bench::paired();
    let lifetime = bench.life.policy().typing_lifetime;
    // Commands of these tests were sent at the start.
    bench.now = START.after(lifetime - Duration::from_millis(1));
    bench.ask("chat.typing");
    let until = match bench.effects.as_slice() {
        [Effect::Ask { order, .. }] => order.until,
        other => panic!("{other:?}"),
    };
    assert_eq!(until, START.after(lifetime), "nor by a connection that is slow");
    bench.now = until;
    bench.feed(Input::Deadline);
    assert_eq!(bench.ended(), refused(bench.commands, "WhatsApp did not answer in time"));
    bench.ask("chat.typing");
    assert_eq!((bench.asked(), bench.ended()), (vec![], refused(bench.commands, "it came too late to be sent")));
}

/// It waits for its turn, and that comes with the end of its moment.
#[test]
fn typing_that_has_waited_too_long_is_not_asked() {
    for is_answered in [false, true] {
        let mut bench = Bench::paired();
        bench.now = START;
        bench.ask("chat.typing");
        bench.ask("chat.typing");
        let (first, second) = (bench.commands - 1, bench.commands);
        bench.now = START.after(bench.life.policy().typing_lifetime);
        let mut ended = Vec::new();
        if is_answered {
            bench.answered(first, Ok(OnlineAnswer::TypingShown));
            ended.push((first, Ok(OnlineAnswer::TypingShown.text())));
        } else {
            bench.feed(Input::Deadline);
            ended.extend(refused(first, "WhatsApp did not answer in time"));
        }
        ended.extend(refused(second, "it came too late to be sent"));
        assert_eq!((bench.asked(), bench.ended()), (vec![], ended));
    }
}

#[test]
fn typing_is_not_asked_of_the_next_connection() {
    let mut bench = Bench::paired();
    bench.ask("chat.typing");
    let id = bench.commands;
    bench.loses();
    assert_eq!(bench.ended(), refused(id, "the connection ended before WhatsApp had it"));
}

#[test]
fn reading_waits_for_a_login_that_is_under_way() {
    let mut bench = Bench::paired();
    bench.loses();
    bench.closed();
    bench.ask("chat.read");
    let id = bench.commands;
    assert_eq!((bench.asked(), bench.ended()), (vec![], vec![]));
    let wait = bench.now.until(bench.life.deadline().unwrap());
    bench.pass(wait);
    assert_eq!(bench.state(), "Connecting");
    bench.open();
    assert_eq!(bench.asked(), [(bench.incarnation().0, id)]);
}

#[test]
fn reading_is_asked_again_of_the_next_connection() {
    for says_so in [false, true] {
        let mut bench = Bench::paired();
        bench.ask("chat.read");
        let (id, first) = (bench.commands, bench.incarnation());
        if says_so {
            bench.answered(id, Err(OnlineError::ConnectionOver));
            assert_eq!((bench.asked(), bench.ended()), (vec![], vec![]), "not of the same one");
        }
        bench.loses();
        bench.closed();
        let wait = bench.now.until(bench.life.deadline().unwrap());
        bench.pass(wait);
        bench.open();
        assert!(bench.incarnation() > first);
        assert_eq!(bench.asked(), [(bench.incarnation().0, id)]);
        let late = Input::Answered(first, CommandId(id), Ok(OnlineAnswer::Read { messages: 1 }));
        assert!(bench.feed(late).is_empty(), "the answer of a former connection");
    }
}

#[test]
fn reading_is_given_up_when_no_connection_comes() {
    let mut bench = Bench::paired();
    bench.loses();
    bench.closed();
    let begun = bench.now;
    bench.ask("chat.read");
    let id = bench.commands;
    while bench.ended().is_empty() {
        let wait = bench.now.until(bench.life.deadline().unwrap());
        bench.pass(wait);
        if bench.state() == "Closing" {
            bench.closed();
        }
    }
    assert_eq!(bench.ended(), refused(id, "the account is not connected"));
    assert_eq!(begun.until(bench.now), bench.life.policy().request_wait);
}

#[test]
fn what_ends_the_link_ends_what_waits_for_it() {
    for kind in ["account.unpair", "account.delete"] {
        let mut bench = Bench::paired();
        bench.ask("chat.read");
        bench.ask("chat.read");
        let id = bench.commands;
        bench.ask(kind);
        assert_eq!(
            bench.ended(),
            [
                (id - 1, Err("the connection ended before WhatsApp had it".to_owned())),
                (id, Err("the account is not connected".to_owned()))
            ],
            "{kind}"
        );
    }
}

#[test]
fn a_daemon_that_leaves_ends_none_of_them() {
    for input in [Input::Drain, Input::HandOver, Input::Fenced] {
        let mut bench = Bench::paired();
        bench.ask("chat.read");
        bench.feed(input);
        assert_eq!(bench.ended(), []);
        bench.closed();
        assert_eq!((bench.ended(), bench.state()), (vec![], "Gone"), "the next owner runs it again");
    }
}

#[test]
fn only_so_many_wait_in_memory() {
    let mut bench = Bench::paired();
    for _ in 0..bench.life.policy().requests_at_once {
        bench.ask("chat.read");
        assert_eq!(bench.ended(), []);
    }
    bench.ask("chat.read");
    assert_eq!(bench.ended(), refused(bench.commands, "256 of these are under way already"));
}

#[test]
fn a_check_is_answered_by_an_event_with_its_command() {
    let mut bench = Bench::paired();
    bench.ask("contact.check");
    let contact = CheckedContact { phone: phone(), chat: Some("1@lid".to_owned()), checked_at: START };
    bench.answered(bench.commands, Ok(OnlineAnswer::Checked { contacts: vec![contact] }));
    assert_eq!(bench.events(), ["contact.checked"]);
    assert_eq!(bench.ended(), [(bench.commands, Ok("1 of 1 on WhatsApp".to_owned()))]);
    bench.ask("contact.check");
    bench.answered(bench.commands, Err(OnlineError::OverBudget { until: START }));
    let why =
        "this account has asked for as many numbers as it may in a day; ask for these again after 2023-11-14T22:13:20Z";
    assert_eq!(bench.ended(), refused(bench.commands, why));
}

#[test]
fn an_unanswered_request_is_given_up_and_the_next_is_asked() {
    let mut bench = Bench::paired();
    bench.ask("chat.read");
    bench.ask("chat.read");
    let id = bench.commands;
    let mut passed = Duration::ZERO;
    while bench.ended().is_empty() {
        let wait = bench.now.until(bench.life.deadline().unwrap());
        passed += wait;
        bench.pass(wait);
    }
    assert_eq!(bench.ended(), refused(id - 1, "WhatsApp did not answer in time"));
    assert_eq!(bench.asked(), [(bench.incarnation().0, id)]);
    assert!(passed <= 31 * SECOND, "{passed:?}");
}

#[test]
fn deadlines_that_are_reached_together_are_met_together() {
    let mut bench = Bench::paired();
    bench.loses();
    bench.closed();
    bench.ask("chat.read");
    let id = bench.commands;
    bench.life.record.released_at = Some(bench.now);
    // As after a suspended machine: the move, the request and the next login are all overdue.
    let policy = bench.life.policy();
    bench.now = bench.now.after(policy.move_timeout + policy.request_wait + Duration::from_secs(3600));
    bench.feed(Input::Deadline);
    assert_eq!(bench.events(), ["session.disconnected", "command.failed"]);
    assert_eq!(bench.ended(), refused(id, "the account is not connected"));
    assert_eq!(bench.state(), "Connecting");
    assert!(bench.life.deadline().unwrap() > bench.now);
}
