//! One history a test, and the whole of its effects.

use super::*;
use crate::domain::UnlinkAnswer;

const HOUR: u64 = 3600;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn refused() -> CloseReason {
    CloseReason::SocketLost("the link was refused".to_owned())
}

#[test]
fn a_message_that_is_not_acknowledged_ends_an_open_connection() {
    let mut bench = Bench::open();
    bench.outcome(Outcome::NotAcknowledged);
    assert_eq!(bench.end(), CloseReason::SocketLost("a message was not acknowledged".to_owned()));
}

#[test]
fn a_connection_waits_for_its_turn_before_it_dials() {
    let mut bench = Bench::new(Purpose::Login);
    assert_eq!(bench.effects, [Effect::AwaitTurn]);
    let effects = bench.outcome(Outcome::TurnCame);
    assert_eq!(*effects, [Effect::Emit(SessionEvent::Dialing), Effect::Run]);
    assert_eq!(*bench.outcome(Outcome::TurnCame), []);
}

/// The wait in a mass reconnect can outlast a lease, and the next owner may be logged in by then.
#[test]
fn keys_lost_while_waiting_for_the_turn_are_not_dialed_with() {
    let mut bench = Bench::new(Purpose::Login);
    let lost = CloseReason::StoreFailed("the account belongs to another daemon now".to_owned());
    assert_eq!(*bench.outcome(Outcome::NotDialed(lost.clone())), [Effect::TakeDown]);
    assert_eq!(*bench.outcome(Outcome::TurnCame), []);
    assert_eq!(bench.end(), lost);
}

#[test]
fn a_scan_is_held_until_it_is_confirmed() {
    let mut bench = Bench::pairing();
    assert_eq!(bench.machine.frames(), Frames::Pass);
    let effects = bench.event(scan_of(DEVICE));
    assert_eq!(*effects, [Effect::AwaitAnswer { scan: ScanId(1), stanza_id: "1".to_owned() }]);
    assert_eq!(bench.machine.frames(), Frames::Wait);
    assert_eq!(bench.machine.awaits_keys(), None, "the library has not set them yet");
    let effects = bench.outcome(Outcome::Answered(ScanId(1), Answer::Confirms));
    let scanned = SessionEvent::Scanned { phone: phone(), device_jid: DEVICE.to_owned() };
    assert_eq!(*effects, [Effect::Emit(scanned)]);
    assert_eq!(bench.machine.awaits_keys(), Some(ScanId(1)));
    bench.outcome(Outcome::KeysDurable(ScanId(1)));
    assert_eq!(bench.machine.frames(), Frames::Wait);
    assert_eq!(*bench.request(Request::Confirm), []);
    assert_eq!((bench.state(), bench.machine.frames()), ("Confirmed", Frames::Pass));
}

#[test]
fn a_link_without_durable_keys_is_refused() {
    let mut bench = Bench::held();
    assert_eq!(*bench.request(Request::Confirm), [Effect::Note(Note::KeysNotDurable)]);
    assert_eq!((bench.state(), bench.machine.frames()), ("Ending", Frames::Block));
    assert_eq!(bench.end(), refused());
}

#[test]
fn keys_of_an_earlier_scan_do_not_count() {
    let mut bench = Bench::pairing();
    bench.event(scan_of(DEVICE));
    bench.outcome(Outcome::Answered(ScanId(1), Answer::Fails));
    bench.event(scan_of(DEVICE));
    bench.outcome(Outcome::Answered(ScanId(1), Answer::Confirms));
    assert_eq!(bench.machine.awaits_keys(), None);
    bench.outcome(Outcome::Answered(ScanId(2), Answer::Confirms));
    bench.outcome(Outcome::KeysDurable(ScanId(1)));
    bench.request(Request::Confirm);
    assert_eq!(bench.machine.frames(), Frames::Block);
}

#[test]
fn a_refusal_cannot_be_taken_back() {
    let mut bench = Bench::held();
    bench.request(Request::Refuse);
    assert_eq!(*bench.request(Request::Confirm), [Effect::Note(Note::ConfirmedTooLate)]);
    assert_eq!(*bench.event(scan_of(DEVICE)), []);
    assert_eq!(bench.machine.frames(), Frames::Block);
    assert_eq!(bench.end(), refused());
}

#[test]
fn a_scan_that_failed_leaves_its_socket_to_the_next() {
    let mut bench = Bench::pairing();
    bench.event(scan_of(DEVICE));
    let rejected = SessionEvent::ScanRejected { reason: "bad signature".to_owned() };
    assert_eq!(*bench.event(LibraryEvent::ScanFailed("bad signature".to_owned())), [Effect::Emit(rejected)]);
    assert_eq!(*bench.outcome(Outcome::Answered(ScanId(1), Answer::Fails)), []);
    assert_eq!((bench.state(), bench.machine.frames()), ("Pairing", Frames::Pass));
    bench.event(scan_of(DEVICE));
    assert_eq!(bench.state(), "Held");
}

#[test]
fn a_second_device_is_never_linked_along_with_the_first() {
    for mut bench in [Bench::held(), Bench::confirmed()] {
        let effects = bench.event(scan_of(OTHER_DEVICE)).to_vec();
        assert!(matches!(&*effects, [Effect::Emit(SessionEvent::ScanRejected { .. })]), "{effects:?}");
        assert_eq!(bench.machine.frames(), Frames::Block);
        assert_eq!(bench.end(), refused());
    }
}

#[test]
fn the_same_device_named_twice_is_asked_about_once() {
    let mut bench = Bench::held();
    assert_eq!(*bench.event(scan_of(DEVICE)), []);
    assert_eq!(bench.state(), "Held");
    let mut bench = Bench::confirmed();
    assert_eq!(*bench.event(scan_of(DEVICE)), []);
    assert_eq!(bench.state(), "Confirmed");
}

#[test]
fn a_scan_without_a_number_is_refused() {
    let mut bench = Bench::pairing();
    let effects = bench.event(LibraryEvent::PairSuccess(None)).to_vec();
    assert!(matches!(&*effects, [Effect::Emit(SessionEvent::ScanRejected { .. })]), "{effects:?}");
    assert_eq!(bench.machine.frames(), Frames::Block);
}

#[test]
fn no_answer_is_a_refusal() {
    let mut bench = Bench::held();
    bench.pass(secs(29));
    assert_eq!(bench.state(), "Held");
    bench.pass(secs(1));
    assert_eq!(bench.machine.frames(), Frames::Block);

    let mut bench = Bench::pairing();
    bench.event(scan_of(DEVICE));
    bench.pass(secs(10));
    assert_eq!(bench.machine.frames(), Frames::Block, "the library did not answer");
}

#[test]
fn a_scan_is_refused_with_the_end_of_its_socket() {
    let raw = || "raw".to_owned();
    let mut ends: Vec<(Input, CloseReason)> = vec![
        (Input::Event(LibraryEvent::StreamError(CloseReason::RestartRequired)), CloseReason::RestartRequired),
        (Input::Event(LibraryEvent::CloseReported(CloseReason::Replaced(raw()))), CloseReason::Replaced(raw())),
        (Input::Outcome(Outcome::StoreFailed(raw())), CloseReason::StoreFailed(raw())),
    ];
    ends.push((Input::Outcome(Outcome::RunEnded), CloseReason::SocketLost("the stream ended".to_owned())));
    for (input, reason) in ends {
        let mut bench = Bench::held();
        bench.outcome(Outcome::KeysDurable(ScanId(1)));
        bench.feed(input);
        assert_eq!(bench.machine.frames(), Frames::Block);
        bench.request(Request::Confirm);
        assert_eq!(bench.end(), reason);
    }
}

#[test]
fn a_confirmed_link_logs_in_on_the_next_socket() {
    let mut bench = Bench::confirmed();
    bench.event(LibraryEvent::PairingFinished);
    bench.event(LibraryEvent::StreamError(CloseReason::RestartRequired));
    let effects = bench.outcome(Outcome::RunEnded);
    assert_eq!(*effects, [Effect::StopRun, Effect::Run], "it waits for no turn");
    bench.event(LibraryEvent::Stanza);
    assert_eq!(bench.state(), "LoggingIn");
    let open = SessionEvent::Open { phone: Some(phone()), device_jid: Some(DEVICE.to_owned()) };
    assert_eq!(*bench.event(success()), [Effect::Emit(open)]);
    assert_eq!(bench.state(), "Open");
}

#[test]
fn a_login_waits_until_the_library_is_through_with_the_link() {
    let mut bench = Bench::confirmed();
    assert_eq!(*bench.outcome(Outcome::RunEnded), [Effect::StopRun]);
    assert_eq!(*bench.event(LibraryEvent::PairingFinished), [Effect::Run]);

    let mut bench = Bench::confirmed();
    bench.outcome(Outcome::RunEnded);
    assert_eq!(*bench.pass(secs(3)), [Effect::Run], "at most so long");
}

#[test]
fn a_restart_that_does_not_come_is_brought_about() {
    let mut bench = Bench::confirmed();
    bench.event(LibraryEvent::PairingFinished);
    assert_eq!(*bench.pass(secs(9)), []);
    assert_eq!(*bench.pass(secs(1)), [Effect::CloseSocket]);
    assert_eq!(*bench.pass(secs(5)), [Effect::StopRun, Effect::Run], "also when the library does not close it");
}

#[test]
fn a_first_login_is_tried_three_times() {
    let mut bench = Bench::confirmed();
    bench.event(LibraryEvent::PairingFinished);
    for _ in 0..3 {
        bench.event(LibraryEvent::CloseReported(CloseReason::ServerBusy("503".to_owned())));
        assert_eq!(*bench.outcome(Outcome::RunEnded), [Effect::StopRun, Effect::Run]);
    }
    assert_eq!(*bench.outcome(Outcome::RunEnded), [Effect::StopRun, Effect::TakeDown]);
}

#[test]
fn only_recoverable_ends_are_followed_by_a_login() {
    for reason in CloseReason::all() {
        let mut bench = Bench::confirmed();
        bench.event(LibraryEvent::PairingFinished);
        bench.event(LibraryEvent::CloseReported(reason.clone()));
        let effects = bench.outcome(Outcome::RunEnded);
        assert_eq!(effects.contains(&Effect::Run), reason.may_log_in_again(), "{reason:?}");
        let is_outdated = matches!(reason, CloseReason::ClientOutdated(_));
        assert_eq!(effects.contains(&Effect::ReportOutdated), is_outdated, "{reason:?}");
        if !reason.may_log_in_again() {
            assert_eq!(bench.end(), reason);
        }
    }
}

#[test]
fn a_login_to_an_existing_link_is_tried_once() {
    let mut bench = Bench::dialing(Purpose::Login);
    bench.event(LibraryEvent::Stanza);
    bench.event(LibraryEvent::Disconnected("reset".to_owned()));
    assert_eq!(*bench.outcome(Outcome::RunEnded), [Effect::StopRun, Effect::TakeDown]);
    assert_eq!(bench.end(), CloseReason::SocketLost("reset".to_owned()));
}

#[test]
fn a_silent_end_is_classified_by_handshake_progress() {
    let mut bench = Bench::dialing(Purpose::Login);
    assert!(matches!(bench.end(), CloseReason::Unreachable(_)));

    let mut bench = Bench::dialing(Purpose::Login);
    bench.event(LibraryEvent::DialFailed(CloseReason::Unreachable("refused".to_owned())));
    assert_eq!(bench.end(), CloseReason::Unreachable("refused".to_owned()));

    let mut bench = Bench::dialing(Purpose::Login);
    bench.event(LibraryEvent::Stanza);
    assert_eq!(bench.end(), CloseReason::SocketLost("the stream ended".to_owned()));
}

#[test]
fn the_first_word_counts_and_outweighs_the_rest() {
    let mut bench = Bench::open();
    bench.event(LibraryEvent::StreamError(CloseReason::ServerBusy("503".to_owned())));
    bench.event(LibraryEvent::CloseReported(CloseReason::LoggedOut("401".to_owned())));
    bench.event(LibraryEvent::CloseReported(CloseReason::Replaced("late".to_owned())));
    bench.event(LibraryEvent::Disconnected("stream ended".to_owned()));
    assert_eq!(bench.end(), CloseReason::LoggedOut("401".to_owned()));
}

#[test]
fn a_socket_that_the_library_leaves_open_is_dropped() {
    let mut bench = Bench::open();
    bench.event(LibraryEvent::StreamError(CloseReason::ServerBusy("503".to_owned())));
    assert_eq!(*bench.pass(secs(4)), []);
    assert_eq!(*bench.pass(secs(1)), [Effect::StopRun, Effect::TakeDown]);
}

#[test]
fn two_unanswered_pings_in_a_row_are_a_lost_connection() {
    let mut bench = Bench::open();
    let ping = |nth| Effect::Ping { nth, timeout: secs(10) };
    assert_eq!(*bench.pass(secs(35)), [ping(1)]);
    assert_eq!(*bench.outcome(Outcome::Pinged { nth: 1, answered: false }), [ping(2)]);
    assert_eq!(*bench.outcome(Outcome::Pinged { nth: 2, answered: true }), []);
    assert_eq!(*bench.pass(secs(35)), [ping(3)], "one of the two is forgotten");
    assert_eq!(*bench.pass(secs(10)), [ping(4)], "no outcome is no answer");
    for late in [1, 3] {
        assert_eq!(*bench.outcome(Outcome::Pinged { nth: late, answered: true }), [], "too late");
    }
    assert_eq!(*bench.pass(secs(10)), [Effect::StopRun, Effect::TakeDown]);
    assert!(matches!(bench.end(), CloseReason::SocketLost(why) if why.contains("pings")));
}

/// Pings are answered on it, and other queries may be.
#[test]
fn a_login_after_which_nothing_is_delivered_is_deaf() {
    let mut bench = Bench::logged_in();
    for _ in 0..19 {
        assert_eq!(*bench.pass(secs(1)), []);
        bench.event(LibraryEvent::Frame);
        assert_eq!(*bench.event(LibraryEvent::Stanza), []);
    }
    assert_eq!(*bench.pass(secs(1)), [Effect::Note(Note::Deaf), Effect::StopRun, Effect::TakeDown]);
    assert!(matches!(bench.end(), CloseReason::SocketLost(why) if why.contains("fell silent")));
}

#[test]
fn the_first_login_after_a_link_can_be_deaf_too() {
    let mut bench = Bench::confirmed();
    bench.event(LibraryEvent::PairingFinished);
    bench.outcome(Outcome::RunEnded);
    bench.event(LibraryEvent::Stanza);
    bench.event(success());
    assert_eq!(*bench.pass(secs(20)), [Effect::Note(Note::Deaf), Effect::StopRun, Effect::TakeDown]);
}

#[test]
fn a_backlog_may_take_minutes_but_not_stop_midway() {
    for next in [LibraryEvent::Delivered, LibraryEvent::GroupsChanged] {
        let mut bench = Bench::logged_in();
        for _ in 0..60 {
            assert_eq!(*bench.pass(secs(19)), []);
            bench.event(LibraryEvent::Frame);
            bench.event(next.clone());
        }
        assert_eq!(*bench.pass(secs(20)), [Effect::Note(Note::Deaf), Effect::StopRun, Effect::TakeDown]);
    }
}

#[test]
fn nobody_need_write_once_nothing_more_waits() {
    let mut bench = Bench::logged_in();
    bench.event(LibraryEvent::Delivered);
    bench.event(LibraryEvent::NothingWaits);
    bench.event(LibraryEvent::Delivered);
    for _ in 0..HOUR / 30 {
        assert_eq!(*bench.pass(secs(30)), []);
        bench.event(LibraryEvent::Frame);
        bench.event(LibraryEvent::Stanza);
    }
}

#[test]
fn a_device_that_goes_need_hear_nothing() {
    let mut bench = Bench::logged_in();
    bench.request(Request::Unlink);
    assert_eq!(*bench.pass(secs(30)), []);
    let mut bench = Bench::dialing(Purpose::Unlink);
    bench.event(LibraryEvent::Stanza);
    bench.request(Request::Unlink);
    bench.event(success());
    assert_eq!(*bench.pass(secs(30)), []);
}

#[test]
fn an_active_connection_is_not_pinged() {
    let mut bench = Bench::open();
    for _ in 0..20 {
        bench.event(LibraryEvent::Frame);
        bench.now = bench.now.after(secs(1));
        bench.event(LibraryEvent::Stanza);
        assert_eq!(*bench.pass(secs(24)), []);
    }
}

#[test]
fn a_change_of_groups_is_told_once_the_connection_is_open() {
    let mut bench = Bench::dialing(Purpose::Login);
    assert_eq!(*bench.event(LibraryEvent::GroupsChanged), [], "it is a stanza all the same");
    assert_eq!(bench.state(), "LoggingIn");
    let mut bench = Bench::open();
    let told = [Effect::Emit(SessionEvent::GroupsChanged)];
    assert_eq!(*bench.event(LibraryEvent::GroupsChanged), told);
    bench.request(Request::Close);
    assert_eq!(*bench.event(LibraryEvent::GroupsChanged), []);
}

/// The library pings 15 to 30 s after the last sign of life. An idle connection costs no more
/// than that, and one whose library is busy with a query no more than our own pings.
#[test]
fn a_healthy_connection_is_not_pinged_beside_the_library() {
    for library_pings_every in [15, 23, 30] {
        let mut bench = Bench::open();
        for _ in 0..HOUR / library_pings_every {
            assert_eq!(*bench.pass(secs(library_pings_every)), [], "every {library_pings_every} s");
            bench.event(LibraryEvent::Frame);
            assert_eq!(*bench.event(LibraryEvent::Stanza), []);
        }
    }
    let mut bench = Bench::open();
    let mut pings = 0;
    for _ in 0..HOUR {
        for effect in bench.pass(secs(1)).to_vec() {
            let Effect::Ping { nth, .. } = effect else { panic!("{effect:?}") };
            pings += 1;
            bench.event(LibraryEvent::Frame);
            bench.event(LibraryEvent::Stanza);
            assert_eq!(*bench.outcome(Outcome::Pinged { nth, answered: true }), []);
        }
    }
    assert!((HOUR / 40..=HOUR / 35).contains(&pings), "{pings} pings in an hour");
}

#[test]
fn a_frame_that_nothing_follows_is_asked_about_soon() {
    let mut bench = Bench::open();
    let begun = bench.now;
    for _ in 0..2 {
        // More frames do not put it off.
        bench.event(LibraryEvent::Frame);
        bench.now = bench.now.after(secs(1));
    }
    assert_eq!(*bench.pass(secs(1)), [Effect::Ping { nth: 1, timeout: secs(10) }]);
    assert_eq!(*bench.event(LibraryEvent::Stanza), [], "that is life enough");
    assert_eq!(*bench.outcome(Outcome::Pinged { nth: 1, answered: false }), []);
    bench.event(LibraryEvent::Frame);
    let begun = bench.now.max(begun);
    bench.pass(secs(3));
    bench.pass(secs(10));
    bench.pass(secs(10));
    assert!(begun.until(bench.now) <= secs(25));
    assert!(matches!(bench.end(), CloseReason::SocketLost(why) if why.contains("pings")));
}

#[test]
fn a_code_is_followed_by_the_next_three_in_all() {
    let mut bench = Bench::dialing(Purpose::Pair { code_for: Some(phone()) });
    let ask = |nth| Effect::AskForCode { nth, phone: phone() };
    assert_eq!(*bench.effects, [Effect::Emit(SessionEvent::Dialing), Effect::Run, ask(1)]);
    bench.event(code());
    assert_eq!(*bench.pass(secs(180)), [], "the library needs a moment to notice");
    assert_eq!(*bench.pass(secs(1)), [code_over(CodeOver::Expired), ask(2)]);
    bench.event(code());
    assert_eq!(*bench.event(LibraryEvent::CodeStale), [code_over(CodeOver::Spent), ask(3)]);
    bench.event(code());
    let effects = bench.pass(secs(181)).to_vec();
    let [spent, Effect::Emit(SessionEvent::CodeOver { reason: CodeOver::Refused(why) })] = &*effects else {
        panic!("{effects:?}")
    };
    assert_eq!(*spent, code_over(CodeOver::Expired));
    assert!(why.contains("3 codes"), "{why}");
}

#[test]
fn a_code_in_the_way_is_waited_out() {
    let mut bench = Bench::pairing_by_code();
    bench.outcome(Outcome::CodeOutstanding { nth: 1, remaining: secs(60) });
    assert_eq!(*bench.pass(secs(60)), []);
    assert_eq!(*bench.pass(secs(1)), [Effect::AskForCode { nth: 1, phone: phone() }]);
    bench.event(LibraryEvent::CodeStale);
    assert_eq!(*bench.outcome(Outcome::CodeOutstanding { nth: 1, remaining: secs(60) }), []);
    assert_eq!(bench.machine.deadline(), None, "another was asked for meanwhile");
}

#[test]
fn a_code_that_was_typed_too_often_is_replaced() {
    let mut bench = Bench::pairing_by_code();
    bench.event(code());
    for _ in 0..3 {
        assert_eq!(*bench.event(LibraryEvent::CodeTyped), []);
    }
    assert_eq!(*bench.event(LibraryEvent::CodeTyped), [Effect::CancelCode]);
    let next = Effect::AskForCode { nth: 2, phone: phone() };
    assert_eq!(*bench.outcome(Outcome::CodeCancelled), [code_over(CodeOver::Spent), next]);
}

#[test]
fn without_a_qr_a_socket_lives_for_its_code() {
    let mut bench = Bench::pairing_by_code();
    bench.event(code());
    let effects = bench.event(LibraryEvent::QrsExhausted { closes: false });
    assert_eq!(*effects, [Effect::Emit(SessionEvent::QrOver)]);
    assert_eq!(*bench.pass(secs(181)), [code_over(CodeOver::Expired)]);
    assert_eq!(bench.end(), CloseReason::QrExhausted);
}

#[test]
fn a_code_that_expires_during_a_hold_is_taken_off_after_it() {
    let mut bench = Bench::pairing_by_code();
    bench.event(code());
    bench.now = bench.now.after(secs(175));
    bench.event(scan_of(DEVICE));
    bench.now = bench.now.after(secs(9));
    assert_eq!(*bench.feed(Input::Deadline), []);
    bench.outcome(Outcome::Answered(ScanId(1), Answer::Fails));
    assert_eq!(bench.feed(Input::Deadline).first(), Some(&code_over(CodeOver::Expired)));
}

#[test]
fn an_unlink_reports_whatsapps_answer() {
    let answers = |outcome| {
        let mut bench = Bench::open();
        assert_eq!(*bench.request(Request::Unlink), [Effect::Unlink]);
        bench.outcome(Outcome::Unlinked(outcome)).to_vec()
    };
    let gone = UnlinkAnswer::Gone("whatsapp confirmed the removal".to_owned());
    assert_eq!(answers(UnlinkOutcome::Removed), [Effect::AnswerUnlink(gone)]);
    let unknown = UnlinkAnswer::Unknown("not linked".to_owned());
    assert_eq!(answers(UnlinkOutcome::NotLinked), [Effect::AnswerUnlink(unknown)]);
    assert_eq!(answers(UnlinkOutcome::Failed("500".to_owned())), []);
}

#[test]
fn a_logout_proves_an_unlink_whose_answer_it_overtook() {
    let gone = || Effect::AnswerUnlink(UnlinkAnswer::Gone("401".to_owned()));
    let logout = || LibraryEvent::CloseReported(CloseReason::LoggedOut("401".to_owned()));
    let failed = || Outcome::Unlinked(UnlinkOutcome::Failed("disconnected".to_owned()));
    let mut bench = Bench::open();
    bench.request(Request::Unlink);
    bench.event(logout());
    assert_eq!(*bench.outcome(failed()), [gone()]);

    let mut bench = Bench::open();
    bench.request(Request::Unlink);
    bench.outcome(failed());
    assert_eq!(*bench.event(logout()), [gone()]);

    let mut bench = Bench::open();
    bench.request(Request::Unlink);
    bench.outcome(failed());
    let unknown = UnlinkAnswer::Unknown("disconnected".to_owned());
    assert_eq!(*bench.pass(secs(3)), [Effect::AnswerUnlink(unknown)]);

    let mut bench = Bench::open();
    bench.request(Request::Unlink);
    bench.event(logout());
    bench.outcome(Outcome::RunEnded);
    assert_eq!(bench.outcome(Outcome::TakenDown).first(), Some(&gone()));
}

#[test]
fn a_close_takes_everything_down_without_an_event() {
    for mut bench in [Bench::new(Purpose::Login), Bench::pairing(), Bench::held(), Bench::confirmed(), Bench::open()] {
        assert_eq!(*bench.request(Request::Close), [Effect::TakeDown]);
        assert_ne!(bench.machine.frames(), Frames::Wait, "a held frame would wait for ever");
        assert_eq!(*bench.outcome(Outcome::TakenDown), []);
        assert_eq!(bench.state(), "Ended");
    }
    let mut bench = Bench::open();
    bench.outcome(Outcome::RunEnded);
    assert_eq!(*bench.request(Request::Close), []);
    assert_eq!(*bench.outcome(Outcome::TakenDown), [], "also where it was ending by itself");
}

#[test]
fn a_close_that_takes_too_long_is_cut() {
    let mut bench = Bench::open();
    bench.event(LibraryEvent::Disconnected("reset".to_owned()));
    bench.outcome(Outcome::RunEnded);
    let effects = bench.pass(secs(16));
    let end = ended(CloseReason::SocketLost("reset".to_owned()));
    assert_eq!(*effects, [Effect::Note(Note::CutShort), Effect::Cut, end]);
}

#[test]
fn a_cut_is_at_once() {
    let mut bench = Bench::held();
    assert_eq!(*bench.request(Request::Cut), [Effect::Cut]);
    assert_eq!((bench.state(), bench.machine.frames()), ("Ended", Frames::Block));
    assert_eq!(*bench.outcome(Outcome::ShellStopped), []);
}

#[test]
fn a_shell_that_died_is_an_end() {
    let mut bench = Bench::open();
    let end = ended(CloseReason::SocketLost("the connection's task stopped".to_owned()));
    assert_eq!(*bench.outcome(Outcome::ShellStopped), [Effect::Cut, end]);
    assert_eq!(*bench.outcome(Outcome::ShellStopped), []);
}

#[test]
fn keys_that_cannot_be_written_end_a_connection() {
    let failed = || Outcome::StoreFailed("fenced".to_owned());
    for mut bench in [Bench::new(Purpose::Login), Bench::pairing(), Bench::confirmed(), Bench::open()] {
        assert_eq!(bench.outcome(failed()).last(), Some(&Effect::TakeDown));
        assert_eq!(*bench.outcome(Outcome::TakenDown), [ended(CloseReason::StoreFailed("fenced".to_owned()))]);
    }
}
