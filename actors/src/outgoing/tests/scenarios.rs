//! One history a test, and the whole of its effects.

use super::*;

#[test]
fn nothing_is_asked_before_the_login_is_complete() {
    let mut bench = Bench::new();
    assert_eq!(*bench.feed(Input::Rung), []);
    assert_eq!(bench.machine.deadline(), None);
    assert_eq!(*bench.feed(Input::Ready), [take(&[], 0)]);
    assert_eq!(*bench.feed(Input::Ready), []);
}

#[test]
fn a_message_is_taken_sent_acknowledged_and_written() {
    let mut bench = Bench::idle();
    assert_eq!(bench.machine.deadline(), None);
    assert_eq!(*bench.feed(Input::Rung), [take(&[], 5)]);
    assert_eq!(*bench.taken(taken(vec![message(1)])), [Effect::Send(message(1).into())]);
    assert_eq!(*bench.wire(1, true), []);
    assert_eq!(*bench.ack(1), [settle(1, SendOutcome::Sent { at: START })]);
    assert_eq!(*bench.settled(), []);
    assert_eq!((bench.machine.state_name(), bench.machine.deadline()), ("Idle", None));
}

#[test]
fn an_acknowledgement_may_overtake_the_library() {
    let mut bench = Bench::sending(message(1));
    assert_eq!(*bench.ack(1), []);
    assert_eq!(*bench.wire(1, true), [settle(1, SendOutcome::Sent { at: START })]);
}

#[test]
fn a_receipt_is_as_good_as_an_acknowledgement() {
    let received = Input::Received { id: MessageId(1), at: START };
    let sent = [settle(1, SendOutcome::Sent { at: START })];
    assert_eq!(*Bench::wired(1).feed(received.clone()), sent);
    // Of an earlier try, while this one hangs.
    let mut bench = Bench::sending(nth_try(1, 2));
    assert_eq!(*bench.feed(received), []);
    bench.wait();
    assert_eq!(*bench.not_sent(1, NotSent::Failed), sent);
}

#[test]
fn what_nobody_can_read_is_not_sent() {
    let mut bench = Bench::sending(message(1));
    bench.wire(1, false);
    let effects = bench.ack(1).to_vec();
    let [Effect::Settle(outcomes)] = &effects[..] else { panic!("{effects:?}") };
    let (_, SendOutcome::Again { after }) = &outcomes[0] else { panic!("{outcomes:?}") };
    bench.settled();
    // It is looked for when its pause is over, although nobody rings.
    assert_eq!(bench.until_deadline(), *after);
    assert!(matches!(bench.wait(), [Effect::Take { .. }]));

    let mut bench = Bench::sending(OutgoingMessage { maybe_sent: false, ..nth_try(1, 3) });
    bench.wire(1, false);
    assert_eq!(*bench.ack(1), [settle(1, failed(SendFailure::NoRecipientDevice, None))]);
}

#[test]
fn refusals_end_a_message_but_for_a_busy_server() {
    for (code, reason) in
        [(463, SendFailure::ReachoutTimelocked), (479, SendFailure::Refused), (400, SendFailure::Refused)]
    {
        assert_eq!(*Bench::wired(1).refuse(1, code), [settle(1, failed(reason, Some(code)))]);
    }
    let busy = Bench::wired(1).refuse(1, 503).to_vec();
    assert!(matches!(&busy[..], [Effect::Settle(outcomes)] if matches!(outcomes[0].1, SendOutcome::Again { .. })));
    let mut last = Bench::sending(OutgoingMessage { maybe_sent: false, ..nth_try(1, 10) });
    last.wire(1, true);
    assert_eq!(*last.refuse(1, 503), [settle(1, failed(SendFailure::Refused, Some(503)))]);
}

#[test]
fn a_group_that_one_is_not_in_ends_a_message_at_once() {
    for code in [403, 404] {
        let refused = settle(1, failed(SendFailure::Refused, Some(code)));
        assert_eq!(*Bench::sending(message(1)).not_sent(1, NotSent::Refused(code)), [refused]);
    }
    let again = Bench::sending(message(1)).not_sent(1, NotSent::Refused(500)).to_vec();
    assert!(matches!(&again[..], [Effect::Settle(outcomes)] if matches!(outcomes[0].1, SendOutcome::Again { .. })));
}

#[test]
fn without_a_word_the_connection_ends_and_the_row_stays() {
    let mut bench = Bench::wired(1);
    assert_eq!(bench.until_deadline(), Duration::from_secs(60));
    assert_eq!(*bench.wait(), [Effect::EndConnection(EndCause::NotAcknowledged)]);
    assert_eq!(*bench.ack(1), []);
}

#[test]
fn the_fifth_message_without_a_word_fails() {
    let mut bench = Bench::wired(5);
    assert_eq!(*bench.wait(), [settle(1, failed(SendFailure::NoAck, None))]);
    bench.settled();
    assert_eq!(bench.machine.state_name(), "Idle");
}

#[test]
fn a_send_that_hangs_holds_up_no_other_chat() {
    let mut bench = Bench::sending(message(1));
    bench.feed(Input::Rung);
    bench.taken(taken(vec![message(2)]));
    bench.wire(2, true);
    assert_eq!(*bench.ack(2), [settle(2, SendOutcome::Sent { at: START })]);
    bench.settled();
    assert_eq!(*bench.wait(), [Effect::Stop(MessageId(1))]);
    let effects = bench.not_sent(1, NotSent::Failed).to_vec();
    assert!(matches!(&effects[..], [Effect::Settle(outcomes)] if matches!(outcomes[0].1, SendOutcome::Again { .. })));
}

#[test]
fn what_is_on_the_wire_when_it_is_stopped_is_waited_for() {
    let mut bench = Bench::sending(message(1));
    bench.wait();
    assert_eq!(*bench.wire(1, true), []);
    assert_eq!(*bench.not_sent(1, NotSent::Failed), []);
    assert_eq!(*bench.ack(1), [settle(1, SendOutcome::Sent { at: START })]);
}

#[test]
fn a_number_without_whatsapp_fails_at_once() {
    let mut bench = Bench::sending(message(1));
    let fails = settle(1, failed(SendFailure::NotOnWhatsapp, None));
    assert_eq!(*bench.not_sent(1, NotSent::NobodyThere), [fails]);
}

#[test]
fn the_pace_is_kept_over_looks_and_connections() {
    let mut bench = Bench::new();
    bench.feed(Input::Ready);
    // Four of the burst were used by a former connection.
    let effects = bench.taken(TakenMessages { recent: 4, ..more(Vec::new()) }).to_vec();
    assert_eq!(effects, [take(&[], 1)]);
    bench.taken(more(vec![message(1)]));
    assert_eq!(bench.until_deadline(), Duration::from_secs(1));
    assert_eq!(*bench.wait(), [take(&[1], 1)]);
}

#[test]
fn a_new_pace_is_learned_when_the_bell_rings() {
    let slow = |messages| TakenMessages { pace: pace(0.001, 1), ..more(messages) };
    let mut bench = Bench::new();
    bench.feed(Input::Ready);
    assert_eq!(*bench.taken(slow(Vec::new())), [take(&[], 1)]);
    bench.taken(slow(vec![message(1)]));
    bench.wire(1, true);
    bench.ack(1);
    bench.settled();
    assert_eq!(bench.until_deadline(), Duration::from_secs(1000));
    // Not at each ring of many.
    assert_eq!(*bench.feed(Input::Rung), []);
    assert_eq!(bench.until_deadline(), Duration::from_secs(1));
    assert_eq!(*bench.wait(), [take(&[], 0)]);
    // It was another message.
    bench.taken(slow(Vec::new()));
    assert_eq!(bench.until_deadline(), Duration::from_secs(999));
    bench.now = bench.now.after(Duration::from_mins(1));
    // It was the pace: of the new one, there is room after what was sent before.
    assert_eq!(*bench.feed(Input::Rung), [take(&[], 0)]);
    let effects = bench.taken(TakenMessages { pace: pace(10.0, 1), ..more(Vec::new()) }).to_vec();
    assert_eq!(effects, []);
    assert_eq!(bench.until_deadline(), Duration::from_millis(94));
    assert_eq!(*bench.wait(), [take(&[], 1)]);
}

#[test]
fn what_waits_for_its_chat_is_looked_for_when_that_is_free() {
    let mut bench = Bench::idle();
    bench.feed(Input::Rung);
    assert_eq!(*bench.taken(more(vec![message(1)])), [Effect::Send(message(1).into())]);
    bench.wire(1, true);
    bench.ack(1);
    assert_eq!(*bench.settled(), [take(&[], 4)]);
}

#[test]
fn a_failed_write_is_repeated_before_its_chat_goes_on() {
    let mut bench = Bench::wired(1);
    let written = bench.ack(1).to_vec();
    assert_eq!(*bench.feed(Input::Settled(Err(unavailable()))), []);
    assert_eq!(*bench.wait(), written[..]);
    assert_eq!(*bench.feed(Input::Rung), [take(&[1], 4)]);
    assert_eq!(*bench.settled(), []);
}

#[test]
fn outcomes_that_come_during_a_write_go_with_the_next() {
    let mut bench = Bench::idle();
    bench.feed(Input::Rung);
    bench.taken(taken(vec![message(1), message(2), message(3)]));
    for id in 1..=3 {
        bench.wire(id, true);
    }
    let sent = SendOutcome::Sent { at: START };
    assert_eq!(*bench.ack(1), [settle(1, sent.clone())]);
    assert_eq!((bench.ack(2).len(), bench.ack(3).len()), (0, 0));
    let both = vec![(MessageId(2), sent.clone()), (MessageId(3), sent)];
    assert_eq!(*bench.settled(), [Effect::Settle(both)]);
}

#[test]
fn a_look_whose_answer_is_lost_is_repeated_and_once_more_later() {
    let mut bench = Bench::idle();
    bench.feed(Input::Rung);
    bench.feed(Input::Taken(Err(unavailable())));
    assert_eq!(*bench.wait(), [take(&[], 5)]);
    bench.taken(nothing());
    assert!(bench.until_deadline() > Duration::from_secs(55));
    assert_eq!(*bench.wait(), [take(&[], 5)]);
    bench.taken(nothing());
    assert_eq!(bench.machine.deadline(), None);
}

#[test]
fn an_account_of_another_daemon_ends_the_connection() {
    let ends = [Effect::EndConnection(EndCause::NotOurs)];
    let mut bench = Bench::idle();
    bench.feed(Input::Rung);
    assert_eq!(*bench.feed(Input::Taken(Err(StoreError::Fenced))), ends);
    let mut bench = Bench::wired(1);
    bench.ack(1);
    assert_eq!(*bench.feed(Input::Settled(Err(StoreError::Fenced))), ends);
}

#[test]
fn what_is_due_later_is_looked_for_then() {
    let mut bench = Bench::new();
    bench.feed(Input::Ready);
    bench.taken(TakenMessages { next_due: Some(Duration::from_hours(1)), ..nothing() });
    assert_eq!(bench.until_deadline(), Duration::from_hours(1));
    assert_eq!(*bench.wait(), [take(&[], 5)]);
}

#[test]
fn what_a_former_connection_left_goes_again_unless_unwanted() {
    let left = nth_try(1, 2);
    assert_eq!(Bench::sending(left.clone()).effects, [Effect::Send(left.clone().into())]);

    let policy = OutgoingPolicy { sends_again: false, ..OutgoingPolicy::default() };
    let mut bench = Bench::with(policy);
    bench.feed(Input::Ready);
    bench.taken(more(Vec::new()));
    assert_eq!(*bench.taken(taken(vec![left])), [settle(1, failed(SendFailure::NoAck, None))]);
}

#[test]
fn an_expired_message_is_not_sent() {
    let late = OutgoingMessage { expires_at: Some(START), ..message(1) };
    assert_eq!(Bench::sending(late).effects, [settle(1, failed(SendFailure::Expired, None))]);
}

#[test]
fn what_may_have_arrived_does_not_expire() {
    let late = OutgoingMessage { expires_at: Some(START), ..nth_try(1, 2) };
    assert_eq!(Bench::sending(late).effects, [settle(1, failed(SendFailure::NoAck, None))]);
}

#[test]
fn what_may_have_arrived_is_sent_again_and_not_given_back() {
    let mut bench = Bench::sending(nth_try(1, 2));
    assert_eq!(*bench.not_sent(1, NotSent::Failed), []);
    assert_eq!(*bench.wait(), [Effect::Send(nth_try(1, 3).into())]);
    bench.wire(1, true);
    assert_eq!(*bench.refuse(1, 503), []);
    assert_eq!(*bench.wait(), [Effect::Send(nth_try(1, 4).into())]);
    bench.wire(1, false);
    // Nobody could have read this try, but perhaps an earlier one.
    assert_eq!(*bench.ack(1), [settle(1, failed(SendFailure::NoAck, None))]);
}

#[test]
fn while_it_rests_a_message_is_received_or_expires() {
    let rests = || {
        let expires_at = Some(START.after(Duration::from_secs(1)));
        let mut bench = Bench::sending(OutgoingMessage { expires_at, ..nth_try(1, 2) });
        bench.not_sent(1, NotSent::Failed);
        bench
    };
    let received = Input::Received { id: MessageId(1), at: START };
    assert_eq!(*rests().feed(received), [settle(1, SendOutcome::Sent { at: START })]);
    assert_eq!(*rests().wait(), [settle(1, failed(SendFailure::NoAck, None))]);
}

#[test]
fn no_try_says_of_the_others_that_they_failed() {
    let unknown = |code| [settle(1, failed(SendFailure::NoAck, code))];
    assert_eq!(*Bench::wired(2).refuse(1, 463), unknown(Some(463)));
    assert_eq!(*Bench::sending(nth_try(1, 2)).not_sent(1, NotSent::NobodyThere), unknown(None));
}

#[test]
fn a_lost_outcome_gives_no_message_back_while_it_is_under_way() {
    let mut bench = Bench::sending(message(1));
    bench.not_sent(1, NotSent::Failed);
    bench.feed(Input::Settled(Err(unavailable())));
    let after = Duration::from_mins(1);
    assert_eq!(*bench.wait(), [settle(1, SendOutcome::Again { after })]);
}

#[test]
fn lost_connections_end_no_message_before_the_last_try() {
    let again = |attempt| {
        let mut bench = Bench::sending(OutgoingMessage { maybe_sent: false, ..nth_try(1, attempt) });
        let effects = bench.not_sent(1, NotSent::Disconnected).to_vec();
        matches!(&effects[..], [Effect::Settle(outcomes)] if matches!(outcomes[..], [(_, SendOutcome::Again { .. })]))
    };
    assert!(again(5) && again(19) && !again(20));
}

#[test]
fn at_most_sixteen_are_under_way() {
    let mut bench = Bench::new();
    bench.feed(Input::Ready);
    let fast = |messages| TakenMessages { pace: pace(1_000.0, 1_000), ..more(messages) };
    assert_eq!(*bench.taken(fast(Vec::new())), [take(&[], 16)]);
    bench.taken(fast((1..=16).map(message).collect()));
    assert_eq!(*bench.feed(Input::Rung), []);
    bench.wire(3, true);
    bench.ack(3);
    assert!(matches!(bench.settled(), [Effect::Take { room: 1, .. }]));
}
