use std::collections::BTreeSet;

use super::*;
use crate::domain::UnlinkAnswer;

/// Watches one connection from outside, by its inputs, its effects and what it lets pass,
/// and objects when an invariant is broken.
#[derive(Clone, Debug)]
pub struct Referee {
    policy: ConnectionPolicy,
    pairs: bool,
    has_dialed: bool,
    is_running: bool,
    runs: u8,
    /// The scan that is held, its device, and whether it was reported to the owner.
    held: Option<(ScanId, String, bool)>,
    durable: BTreeSet<ScanId>,
    /// The device whose link was confirmed.
    linked: Option<String>,
    is_blocked: bool,
    is_open: bool,
    /// When WhatsApp delivered something last, until it has said that nothing more waits.
    delivered: Option<Instant>,
    codes: BTreeSet<u8>,
    /// Codes that were in the way, and may be asked for once more.
    outstanding: BTreeSet<u8>,
    pinged: Option<u32>,
    unlink_is_asked: bool,
    is_taking_down: bool,
    is_silenced: bool,
    has_ended: bool,
    due: Option<Instant>,
}

impl Referee {
    pub fn new(purpose: &Purpose, policy: ConnectionPolicy) -> Self {
        Self {
            policy,
            pairs: matches!(purpose, Purpose::Pair { .. }),
            has_dialed: false,
            is_running: false,
            runs: 0,
            held: None,
            durable: BTreeSet::new(),
            linked: None,
            is_blocked: false,
            is_open: false,
            delivered: None,
            codes: BTreeSet::new(),
            outstanding: BTreeSet::new(),
            pinged: None,
            unlink_is_asked: false,
            is_taking_down: false,
            is_silenced: false,
            has_ended: false,
            due: None,
        }
    }

    pub fn before(&mut self, input: &Input, machine: &Connection, now: Instant) {
        self.due = machine.deadline().filter(|due| *due <= now && *input == Input::Deadline);
        match input {
            Input::Request(Request::Close | Request::Cut) => self.is_silenced = true,
            Input::Request(Request::Unlink) => {
                self.unlink_is_asked = true;
                self.delivered = None;
            }
            Input::Event(LibraryEvent::NothingWaits) => self.delivered = None,
            Input::Event(LibraryEvent::Delivered | LibraryEvent::GroupsChanged) => {
                self.delivered = self.delivered.map(|_| now);
            }
            Input::Outcome(Outcome::KeysDurable(scan)) => {
                // Before a scan was reported its keys may be incomplete.
                if matches!(&self.held, Some((held, _, true)) if held == scan) {
                    self.durable.insert(*scan);
                }
            }
            Input::Outcome(Outcome::RunEnded | Outcome::NotDialed(_)) => self.is_running = false,
            Input::Outcome(Outcome::CodeOutstanding { nth, .. }) => {
                // An answer about a code that was not requested allows nothing.
                if self.codes.contains(nth) {
                    self.outstanding.insert(*nth);
                }
            }
            Input::Event(_) | Input::Outcome(_) | Input::Request(Request::Confirm | Request::Refuse) => {}
            Input::Deadline => {}
        }
    }

    pub fn after(&mut self, input: &Input, effects: &[Effect], machine: &Connection, now: Instant) {
        for effect in effects {
            self.on_effect(effect, input, now);
        }
        self.frames_are_right(input, machine);
        if self.due.is_some() {
            assert!(machine.deadline().is_none_or(|next| next > now), "a reached deadline made no progress");
        }
        if let (State::Open(_), Some(delivered)) = (machine.state(), self.delivered) {
            let most = delivered.after(self.policy.delivery_timeout);
            assert!(machine.deadline().is_some_and(|due| due <= most), "nobody will notice that nothing is delivered");
        }
        let is_over = *machine.state() == State::Ended;
        assert!(!is_over || self.has_ended || self.is_silenced, "it ended, and nobody was told");
        assert!(!is_over || !self.unlink_is_asked, "an unlink was never answered");
        assert!(is_over || !self.has_ended, "something goes on after the end");
    }

    /// A frame waits while a scan is held. From there it passes for two reasons only, and
    /// never again once it was blocked.
    fn frames_are_right(&mut self, input: &Input, machine: &Connection) {
        let frames = machine.frames();
        assert_eq!(matches!(machine.state(), State::Held(_)), frames == Frames::Wait, "held exactly while frames wait");
        assert!(!self.is_blocked || frames == Frames::Block, "a frame passes after a refusal");
        match (&self.held, frames) {
            (Some((scan, device, _)), Frames::Pass) => match input {
                Input::Outcome(Outcome::Answered(of, Answer::Fails)) if of == scan => {}
                Input::Request(Request::Confirm) => {
                    assert!(self.durable.contains(scan), "confirmed before its keys are durable");
                    assert_eq!(self.linked, None, "two links of one connection were confirmed");
                    self.linked = Some(device.clone());
                }
                Input::Event(_) | Input::Outcome(_) | Input::Request(_) | Input::Deadline => {
                    panic!("{input:?} let a held frame pass");
                }
            },
            (Some(_) | None, Frames::Pass | Frames::Wait | Frames::Block) => {}
        }
        if let Input::Event(LibraryEvent::PairSuccess(scan)) = input {
            let device = scan.as_ref().map(|scan| &scan.device_jid);
            let is_another = self.held.as_ref().is_some_and(|(_, held, _)| Some(held) != device)
                || self.linked.as_ref().is_some_and(|linked| Some(linked) != device);
            let is_on_a_socket = machine.state().has_run();
            assert!(!is_another || !is_on_a_socket || frames == Frames::Block, "a second device was not refused");
        }
        if frames != Frames::Wait {
            self.held = None;
        }
        self.is_blocked |= frames == Frames::Block;
    }

    fn on_effect(&mut self, effect: &Effect, input: &Input, now: Instant) {
        let is_last_words = matches!(
            effect,
            Effect::Emit(SessionEvent::Ended { .. }) | Effect::Cut | Effect::Note(_) | Effect::AnswerUnlink(_)
        );
        assert!(!self.is_taking_down || is_last_words, "{effect:?} while everything is taken down");
        match effect {
            Effect::Note(Note::Deaf) => {
                let most = self.delivered.map(|delivered| delivered.after(self.policy.delivery_timeout));
                assert!(most.is_some_and(|most| most <= now), "a connection was given up that is not deaf");
            }
            Effect::AwaitTurn | Effect::ReportOutdated | Effect::Note(_) | Effect::CancelCode | Effect::Cut => {}
            Effect::Run => self.on_run(),
            Effect::StopRun => self.is_running = false,
            Effect::AwaitAnswer { scan, .. } => {
                let Input::Event(LibraryEvent::PairSuccess(Some(seen))) = input else { panic!("held by {input:?}") };
                assert_eq!(self.held, None, "two scans are held at once");
                self.held = Some((*scan, seen.device_jid.clone(), false));
            }
            Effect::AskForCode { nth, .. } => {
                let is_new = self.codes.insert(*nth);
                assert!(is_new || self.outstanding.remove(nth), "asked twice for the same code");
                assert!(self.codes.len() <= self.policy.codes.into(), "too many codes");
                assert!(self.held.is_none() && self.linked.is_none(), "asked for a code beside a link");
            }
            Effect::CloseSocket => assert!(self.is_running, "closed a socket that is not there"),
            Effect::Ping { nth, .. } => {
                assert!(self.is_open, "pinged before the login");
                assert_ne!(self.pinged.replace(*nth), Some(*nth), "the same ping twice");
            }
            Effect::Unlink => assert!(self.unlink_is_asked, "unlinked without being asked to"),
            Effect::AnswerUnlink(answer) => {
                assert!(self.unlink_is_asked, "answered an unlink twice: {answer:?}");
                self.unlink_is_asked = false;
                if let UnlinkAnswer::Gone(raw) = answer {
                    assert!(!raw.is_empty(), "gone without a word of WhatsApp's");
                }
            }
            Effect::Emit(event) => self.on_emit(event, input, now),
            Effect::TakeDown => {
                self.is_taking_down = true;
                self.is_running = false;
            }
        }
    }

    fn on_run(&mut self) {
        assert!(!self.is_running, "two sockets at once");
        self.is_running = true;
        self.runs += 1;
        if self.runs > 1 {
            assert!(self.linked.is_some() && !self.is_open, "a new socket without a link that waits for its login");
        }
        assert!(self.runs <= self.policy.first_logins + 1, "too many logins");
    }

    fn on_emit(&mut self, event: &SessionEvent, input: &Input, now: Instant) {
        assert!(!self.has_ended, "{event:?} after the end");
        assert!(!self.is_silenced, "{event:?} after the owner closed it");
        let is_told_of_scan = matches!(self.held, Some((_, _, true)));
        match event {
            SessionEvent::Dialing => assert!(!std::mem::replace(&mut self.has_dialed, true), "dialing twice"),
            SessionEvent::Qr { expires_at, .. }
            | SessionEvent::Code { expires_at, .. }
            | SessionEvent::Passkey { expires_at, .. } => {
                assert!(*expires_at >= now, "shown after its time");
                assert!(self.pairs && self.linked.is_none() && !is_told_of_scan, "{event:?} after a scan");
            }
            SessionEvent::QrOver | SessionEvent::CodeOver { .. } => {
                assert!(self.pairs && self.linked.is_none() && !is_told_of_scan, "{event:?} after a scan");
            }
            SessionEvent::Scanned { device_jid, .. } => {
                let Some((scan, device, is_told)) = &mut self.held else { panic!("scanned, and nothing is held") };
                assert_eq!(*input, Input::Outcome(Outcome::Answered(*scan, Answer::Confirms)), "scanned too early");
                assert_eq!(device, device_jid, "told of another device than the held one");
                assert!(!std::mem::replace(is_told, true), "told of a scan twice");
            }
            SessionEvent::ScanRejected { .. } => {}
            SessionEvent::Open { .. } => {
                assert!(!std::mem::replace(&mut self.is_open, true), "opened twice");
                assert!(self.is_running, "opened without a socket");
                assert!(!self.pairs || self.linked.is_some(), "open, and its link was never confirmed");
                self.delivered = (!self.unlink_is_asked).then_some(now);
            }
            SessionEvent::GroupsChanged => assert!(self.is_open, "groups before the login"),
            SessionEvent::Ended { .. } => self.has_ended = true,
        }
        assert!(self.has_dialed || self.has_ended, "{event:?} before its turn");
    }
}

/// Each invariant is broken once: a referee who sees nothing would be worth nothing.
mod is_not_blind {
    use super::*;

    /// The referee's objection to effects that a broken machine might return here.
    fn objects(mut bench: Bench, input: Input, effects: &[Effect]) -> String {
        let broken = std::panic::AssertUnwindSafe(move || {
            bench.referee.before(&input, &bench.machine, bench.now);
            bench.referee.after(&input, effects, &bench.machine, bench.now);
        });
        let objection = std::panic::catch_unwind(broken).unwrap_err();
        let text = objection.downcast_ref::<String>().cloned();
        text.or_else(|| objection.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
    }

    fn event(event: LibraryEvent) -> Input {
        Input::Event(event)
    }

    #[test]
    fn a_confirmation_before_the_keys_is_objected_to() {
        let mut bench = Bench::held();
        bench.machine.state = State::Confirmed { restart_at: None };
        assert!(objects(bench, Input::Request(Request::Confirm), &[]).contains("before its keys are durable"));
    }

    #[test]
    fn a_second_link_is_objected_to() {
        let mut bench = Bench::confirmed();
        bench.referee.held = Some((ScanId(2), OTHER_DEVICE.to_owned(), true));
        bench.referee.durable.insert(ScanId(2));
        assert!(objects(bench, Input::Request(Request::Confirm), &[]).contains("two links"));

        let bench = Bench::confirmed();
        assert!(objects(bench, event(scan_of(OTHER_DEVICE)), &[]).contains("second device"));
    }

    #[test]
    fn a_held_frame_that_passes_is_objected_to() {
        let mut bench = Bench::held();
        bench.machine.state = State::Pairing;
        assert!(objects(bench, event(LibraryEvent::Stanza), &[]).contains("let a held frame pass"));

        let mut bench = Bench::held();
        bench.request(Request::Refuse);
        bench.machine.link = LinkStage::Established;
        assert!(objects(bench, event(LibraryEvent::Stanza), &[]).contains("after a refusal"));
    }

    #[test]
    fn words_after_the_end_are_objected_to() {
        let mut bench = Bench::pairing();
        bench.outcome(Outcome::RunEnded);
        bench.outcome(Outcome::TakenDown);
        let again = ended(lost());
        assert!(objects(bench, Input::Outcome(Outcome::TakenDown), &[again]).contains("after the end"));

        let mut bench = Bench::pairing();
        bench.request(Request::Close);
        let late = ended(lost());
        assert!(objects(bench, Input::Outcome(Outcome::TakenDown), &[late]).contains("owner closed"));
    }

    #[test]
    fn a_silent_end_is_objected_to() {
        let mut bench = Bench::pairing();
        bench.outcome(Outcome::RunEnded);
        bench.machine.state = State::Ended;
        assert!(objects(bench, Input::Outcome(Outcome::TakenDown), &[]).contains("nobody was told"));
    }

    #[test]
    fn a_second_socket_without_a_link_is_objected_to() {
        let bench = Bench::pairing();
        let input = Input::Outcome(Outcome::RunEnded);
        assert!(objects(bench, input, &[Effect::StopRun, Effect::Run]).contains("without a link"));
        let bench = Bench::pairing();
        assert!(objects(bench, event(LibraryEvent::Stanza), &[Effect::Run]).contains("two sockets"));
    }

    #[test]
    fn a_deadline_that_stands_still_is_objected_to() {
        let mut bench = Bench::held();
        bench.now = bench.machine.deadline().unwrap();
        assert!(objects(bench, Input::Deadline, &[]).contains("no progress"));
    }

    #[test]
    fn deafness_that_is_not_noticed_is_objected_to() {
        let mut bench = Bench::logged_in();
        bench.machine.delivers_by = None;
        assert!(objects(bench, event(LibraryEvent::Stanza), &[]).contains("nobody will notice"));

        let bench = Bench::open();
        assert!(objects(bench, Input::Deadline, &[Effect::Note(Note::Deaf)]).contains("is not deaf"));
    }

    #[test]
    fn a_fourth_code_is_objected_to() {
        let mut bench = Bench::pairing_by_code();
        bench.referee.codes.extend([2, 3]);
        let fourth = Effect::AskForCode { nth: 4, phone: phone() };
        assert!(objects(bench, event(LibraryEvent::CodeStale), &[fourth]).contains("too many codes"));
    }

    #[test]
    fn an_unanswered_unlink_is_objected_to() {
        let mut bench = Bench::open();
        bench.request(Request::Unlink);
        bench.machine.state = State::Ended;
        let effects = [ended(lost())];
        assert!(objects(bench, Input::Outcome(Outcome::ShellStopped), &effects).contains("never answered"));
    }
}
