use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{Hash, Hasher},
};

use super::super::{Effect, Input, Lifecycle, State};
use crate::domain::{
    AccountRecord, Change, Claim, CloseReason, CommandId, CommandKind, Event, Finished, Incarnation, KeyringId,
    Purpose, QrChange, Reason, SessionEvent, Status, Update, Verdict,
};

/// Watches one life from outside, by its inputs and effects alone, and objects
/// when an invariant is broken.
#[derive(Clone, Debug)]
pub struct Referee {
    record: AccountRecord,
    live: Live,
    last_opened: Incarnation,
    /// The keyring of each connection.
    keyrings: BTreeMap<u64, KeyringId>,
    secured: BTreeSet<u64>,
    /// A change whose number is being asked for.
    claim: Option<(Incarnation, Update)>,
    /// The last event about the connection said that it is connected.
    believed_connected: bool,
    refused: BTreeSet<u64>,
    /// Keyrings that the phone may list.
    confirmed: BTreeSet<KeyringId>,
    /// Keyrings that WhatsApp did not know once, with no login since.
    doubted: BTreeSet<KeyringId>,
    /// Keyrings that WhatsApp said are gone, in so many words or twice.
    disowned: BTreeSet<KeyringId>,
    commands: BTreeMap<i64, bool>,
    left: bool,
    retired: bool,
}

impl Hash for Referee {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.record.hash(state);
        self.live.hash(state);
        (self.last_opened, self.believed_connected, self.left, self.retired).hash(state);
        (&self.keyrings, &self.secured, &self.refused).hash(state);
        (&self.confirmed, &self.doubted, &self.disowned, &self.commands).hash(state);
        if let Some(claim) = &self.claim {
            format!("{claim:?}").hash(state);
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
enum Live {
    None,
    Open(Incarnation),
    Closing(Incarnation),
}

impl Referee {
    pub fn new(record: &AccountRecord) -> Self {
        Self {
            record: record.clone(),
            live: Live::None,
            last_opened: Incarnation::default(),
            keyrings: BTreeMap::new(),
            secured: BTreeSet::new(),
            claim: None,
            believed_connected: record.status == Status::Connected || record.released_at.is_some(),
            refused: BTreeSet::new(),
            confirmed: record.keyring().into_iter().chain(record.linking()).collect(),
            doubted: BTreeSet::new(),
            disowned: BTreeSet::new(),
            commands: BTreeMap::new(),
            left: false,
            retired: false,
        }
    }

    /// The open connection, for the generator of inputs.
    pub fn open_session(&self) -> Option<Incarnation> {
        if let Live::Open(incarnation) = self.live { Some(incarnation) } else { None }
    }

    pub fn on_input(&mut self, input: &Input) {
        match input {
            Input::Command(command) => {
                self.commands.entry(command.id.0).or_insert(false);
            }
            Input::Session(of, SessionEvent::Ended { reason }) if self.open_session() == Some(*of) => {
                self.on_ended(*of, reason);
            }
            Input::Session(of, SessionEvent::Open { .. }) if self.open_session() == Some(*of) => {
                if let Some(keyring) = self.keyrings.get(&of.0) {
                    self.doubted.remove(keyring);
                }
            }
            Input::Claimed(of, Ok(Claim::Granted)) => {
                if let Some((_, update)) = self.claim.take_if(|(asked, _)| asked == of) {
                    self.on_record(&update);
                    if update.change.links.is_some() {
                        self.secured.insert(of.0);
                    }
                }
            }
            Input::SessionClosed(of) if self.live == Live::Closing(*of) => self.live = Live::None,
            // A close that takes too long is taken for done.
            Input::Deadline if matches!(self.live, Live::Closing(_)) => self.live = Live::None,
            Input::Fenced => self.left = true,
            Input::Session(..)
            | Input::Claimed(..)
            | Input::PasskeyAnswered(..)
            | Input::GroupsFetched(..)
            | Input::Answered(..)
            | Input::SessionClosed(_)
            | Input::Deadline
            | Input::Drain
            | Input::HandOver => {}
        }
    }

    fn on_ended(&mut self, of: Incarnation, reason: &CloseReason) {
        let Some(keyring) = self.keyrings.get(&of.0) else { return };
        match reason.verdict() {
            Verdict::LinkGone => {
                self.disowned.insert(*keyring);
            }
            Verdict::LookAgain if !self.doubted.insert(*keyring) => {
                self.disowned.insert(*keyring);
            }
            Verdict::LookAgain | Verdict::Retry | Verdict::RestartNow | Verdict::Hold { .. } => {}
        }
    }

    pub fn on_effects(&mut self, effects: &[Effect], life: &Lifecycle) {
        for effect in effects {
            assert!(!self.retired, "an effect after Retire: {effect:?}");
            self.on_effect(effect);
        }
        assert_eq!(self.retired, life.is_gone(), "gone exactly when retired");
        if !matches!(life.state(), State::Admitting { .. } | State::ClaimingNumber { .. } | State::Reclaiming { .. }) {
            // The machine no longer waits for its outcome.
            self.claim = None;
        }
        if !self.left && !self.retired {
            // The phone may list these, so they must be held or have a ticket.
            let held: BTreeSet<_> = life.record().keyring().into_iter().chain(life.record().linking()).collect();
            assert!(self.confirmed.is_subset(&held), "a confirmed link is lost: {:?} not in {held:?}", self.confirmed);
        }
    }

    fn on_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Open { incarnation, keyring, purpose } => {
                assert_eq!(self.live, Live::None, "opened {incarnation} beside another connection");
                assert!(*incarnation > self.last_opened, "incarnation {incarnation} used twice");
                assert!(!self.left, "opened after the account was lost");
                if matches!(purpose, Purpose::Pair { .. }) {
                    assert!(!self.confirmed.contains(keyring), "paired over the keys of a link");
                }
                self.last_opened = *incarnation;
                self.keyrings.insert(incarnation.0, *keyring);
                self.live = Live::Open(*incarnation);
            }
            Effect::Close(incarnation) => {
                assert_eq!(self.live, Live::Open(*incarnation), "closed what is not open");
                self.live = Live::Closing(*incarnation);
            }
            Effect::ConfirmLink(incarnation) => {
                assert_eq!(self.live, Live::Open(*incarnation), "confirmed over a connection that is not open");
                assert!(self.secured.contains(&incarnation.0), "confirmed a link before its keys were durable");
                assert!(!self.refused.contains(&incarnation.0), "confirmed after refusing");
                self.confirmed.extend(self.keyrings.get(&incarnation.0));
            }
            Effect::Cut(incarnation) => {
                assert_eq!(*incarnation, self.last_opened, "cut another connection than the last one");
                // One whose close took too long was taken for closed.
                if self.live != Live::None {
                    self.live = Live::Closing(*incarnation);
                }
            }
            Effect::RefuseLink(incarnation) => {
                self.refused.insert(incarnation.0);
            }
            Effect::Record(update) => self.on_record(update),
            Effect::Retire => self.retired = true,
            Effect::Claim { incarnation, update } => {
                assert!(!self.left, "{effect:?} after the account was lost");
                self.claim = Some((*incarnation, (**update).clone()));
            }
            Effect::Ask { incarnation, command, .. } => {
                assert_eq!(self.live, Live::Open(*incarnation), "asked a connection that is not open");
                assert_eq!(self.commands.get(&command.0), Some(&false), "asked for a command that has ended");
            }
            Effect::AnswerPasskey { .. } | Effect::FetchGroups(_) => {
                assert!(!self.left, "{effect:?} after the account was lost");
            }
        }
    }

    fn on_record(&mut self, Update { record: after, change }: &Update) {
        assert!(!self.left, "a write after the account was lost");
        let before = &self.record;
        assert_ne!(after.reason.word(), Reason::Unknown, "{:?}", after.reason);
        self.attempts_end_once(before, after, change);
        if before.status == Status::Pending && after.status != Status::Pending {
            assert_eq!(change.qr, QrChange::Clear, "a QR stays behind on the way out of pending");
        }
        if after.status == Status::Unpaired {
            assert_eq!(after.phone(), None, "an unpaired account keeps a number from others");
        }
        if after.status == Status::Reconnecting {
            assert!(after.next_retry_at.is_some(), "reconnecting without a date");
        }
        for keyring in &change.erase {
            let link_may_exist = self.confirmed.contains(keyring) && !self.disowned.contains(keyring);
            assert!(!link_may_exist, "erased the keys of a link that WhatsApp did not say is gone");
            self.confirmed.remove(keyring);
        }
        for (keyring, _) in &change.tickets {
            assert!(
                !matches!(self.live, Live::Open(of) | Live::Closing(of) if self.keyrings.get(&of.0) == Some(keyring)),
                "a ticket for a device that is still connected"
            );
            self.confirmed.remove(keyring);
        }
        for event in &change.events {
            if matches!(event, Event::Disconnected { .. }) {
                assert!(self.believed_connected, "told twice that it is disconnected");
            }
            self.believed_connected = event.kind().tells_connected().unwrap_or(self.believed_connected);
        }
        let will_be_told = after.released_at.is_some() || after.deleted_at.is_some();
        assert!(
            after.status == Status::Connected || !self.believed_connected || will_be_told,
            "consumers believe that it is connected: {change:?}"
        );
        for Finished { command: CommandId(id), .. } in &change.finished {
            let ended = self.commands.insert(*id, true);
            assert_eq!(ended, Some(false), "command {id} ended twice, or was never asked");
        }
        self.record = after.clone();
    }

    /// Exactly one terminal event when an attempt ends or is replaced, none otherwise.
    fn attempts_end_once(&self, before: &AccountRecord, after: &AccountRecord, change: &Change) {
        let replaced = match (before.attempt(), after.attempt()) {
            (Some(_), None) => true,
            // A finished `account.pair` means that a new attempt has begun.
            (Some(_), Some(_)) => change
                .finished
                .iter()
                .any(|finished| finished.kind == CommandKind::Pair.as_str() && finished.result.is_ok()),
            (None, _) => false,
        };
        let terminal = change.events.iter().filter(|event| event.is_terminal()).count();
        let events: Vec<_> = change.events.iter().map(Event::kind).collect();
        if replaced {
            assert_eq!(terminal, 1, "an attempt ended with {events:?}: {change:?}");
        } else {
            // Outside of attempts only logins, and numbers taken meanwhile, are reported.
            let stray = change.events.iter().any(|event| {
                event.is_terminal() && !matches!(event, Event::Connected { .. } | Event::Duplicate { .. })
            });
            assert!(!stray, "a terminal event without an attempt: {events:?}");
            assert!(before.attempt().is_none() || terminal == 0, "an attempt goes on after {events:?}");
        }
    }

    /// After a quiet end nothing is open: no attempt without an end, no command without a result.
    pub fn on_quiet(&self, life: &Lifecycle) {
        if self.left || self.retired {
            return;
        }
        assert!(life.record().attempt().is_none(), "an attempt never ended, in {}", life.state().name());
        let open: Vec<_> = self.commands.iter().filter(|(_, ended)| !**ended).collect();
        assert!(open.is_empty(), "commands never ended: {open:?} in {}", life.state().name());
    }
}
