//! The whole life of an account, as one enum stepped by a pure function.
//!
//! It never waits, reads a clock, draws a random number or does input or output:
//! inputs say what happened, effects are orders to the shell, and time and
//! randomness are arguments. All decisions about an account are made here and
//! nowhere else.
//!
//! - [`commands`]: the operator's commands, state by state
//! - [`pairing`]: an attempt, with its sockets, QR codes, admission and first login
//! - [`passkey`]: the passkey exchange between a scan and its admission
//! - [`linked`]: a linked account, with its logins, groups, losses and reconnects
//! - [`requests`]: what commands ask of a live connection
//! - [`closing`]: closing a connection, and the step that follows

mod closing;
mod commands;
mod effect;
mod input;
mod linked;
mod pairing;
mod passkey;
mod requests;
mod resume;
mod state;

#[cfg(test)]
mod tests;

pub use effect::Effect;
pub use input::{CommandInput, Input};
pub use resume::pending;
pub use state::State;

use closing::{AfterClose, Leaving};
use requests::PendingRequest;

use crate::{
    domain::{
        AccountRecord, AuditAction, AuditEntry, Change, ClaimError, Failures, Incarnation, Instant, KeyringId, Policy,
        Reason, SessionEvent, Status, StatusReason, Update,
    },
    machine::{self, Machine},
};

/// The source that the audit log names for actions that no operator asked for.
const NOBODY: &str = "paird";

/// The machine of one account.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The image of the row, written whole with every [`Effect::Record`].
    record: AccountRecord,
    policy: Policy,
    state: State,
    /// The number of the last connection opened.
    incarnation: Incarnation,
    /// This life's randomness: keyring ids and jitter derive from it.
    seed: u128,
    backoff: Failures,
    /// When the last pairing socket was opened.
    socket_since: Instant,
    /// A socket of this attempt was followed by another one at once: from now on they wait.
    was_prompt: bool,
    /// What the last try of the phone's owner in this attempt came to, if it was refused. Kept beside the row,
    /// which says other things of the attempt meanwhile; a restart knows it as far as the row says it.
    setback: Option<StatusReason>,
    /// How often WhatsApp has refused the client version, with no login since.
    outdated: Failures,
    /// The keys whose device WhatsApp did not know at their last login.
    doubted: Option<KeyringId>,
    /// The source of the command that began the running attempt.
    source: String,
    /// Fingerprint of the groups in the last `groups.synced` of this life.
    told_groups: Option<u64>,
    /// What commands ask of the connection, in their order. Not part of the row: the commands are
    /// `running` until it is done.
    requests: Vec<PendingRequest>,
}

type Step = machine::Step<Effect>;

impl Machine for Lifecycle {
    type Input = Input;
    type Effect = Effect;

    fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        Lifecycle::step(self, input, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Lifecycle::deadline(self)
    }

    fn state_name(&self) -> &'static str {
        self.state.name()
    }
}

impl Lifecycle {
    /// Takes one input, and says everything that must be done about it, in order.
    ///
    /// An input that no longer means anything (late, twice, of another
    /// connection) changes nothing and has no effects, but for a command that
    /// waits for it: that ends.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut step = Step::at(now);
        self.take(input, &mut step);
        step.effects
    }

    fn take(&mut self, input: Input, step: &mut Step) {
        if let Some(incarnation) = input.incarnation()
            && incarnation != self.incarnation
        {
            if let Input::PasskeyAnswered(_, command, _) = input {
                self.on_late_passkey_answer(command, step);
            }
            return;
        }
        match input {
            Input::Command(command) => self.on_command(command, step),
            Input::Session(_, event) => self.on_session(event, step),
            Input::Claimed(_, answer) => self.on_claimed(answer, step),
            Input::PasskeyAnswered(_, command, outcome) => self.on_passkey_answered(command, outcome, step),
            Input::GroupsFetched(_, outcome) => self.on_groups_fetched(outcome, step),
            Input::Answered(_, command, outcome) => self.on_answered(command, outcome, step),
            Input::SessionClosed(_) => self.on_session_closed(step),
            Input::Deadline => self.on_deadline(step),
            Input::Fenced => self.on_leave(Leaving::Fenced, step),
            Input::Drain => self.on_leave(Leaving::Announced, step),
            Input::HandOver => self.on_leave(Leaving::Moved, step),
        }
    }

    /// When [`Input::Deadline`] is due; asked after each step. `None` only where
    /// nothing is under way.
    pub fn deadline(&self) -> Option<Instant> {
        let of_the_state = self.state.deadline(self.record.attempt().map(|attempt| attempt.deadline));
        of_the_state.into_iter().chain(self.move_deadline()).chain(self.requests_deadline()).min()
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn record(&self) -> &AccountRecord {
        &self.record
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Nothing more will come of this machine; its last effect was [`Effect::Retire`].
    pub fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    fn on_session(&mut self, event: SessionEvent, step: &mut Step) {
        match event {
            SessionEvent::Dialing => self.on_dialing(step),
            SessionEvent::Qr { payload, expires_at } => self.on_qr(payload, expires_at, step),
            SessionEvent::QrOver => self.on_qr_over(step),
            SessionEvent::Code { code, expires_at } => self.on_code(code, expires_at, step),
            SessionEvent::CodeOver { reason } => self.on_code_over(&reason, step),
            SessionEvent::Passkey { stage, request, expires_at } => self.on_passkey(stage, request, expires_at, step),
            SessionEvent::Scanned { phone, device_jid } => self.on_scanned(phone, device_jid, step),
            SessionEvent::ScanRejected { reason } => self.on_scan_rejected(&reason, step),
            SessionEvent::Open { phone, device_jid } => self.on_open(phone, device_jid, step),
            SessionEvent::GroupsChanged => self.on_groups_changed(step),
            SessionEvent::Ended { reason } => self.on_ended(&reason, step),
        }
    }

    /// A reached deadline always makes progress: each arm leaves its state or moves its deadline.
    fn on_deadline(&mut self, step: &mut Step) {
        let Some(due) = self.deadline() else { return };
        if step.now < due {
            return;
        }
        if self.move_deadline().is_some_and(|due| due <= step.now) {
            self.tell_of_the_move(step);
            // Others may be reached as well.
            return self.on_deadline(step);
        }
        if self.requests_deadline().is_some_and(|due| due <= step.now) {
            self.end_late_requests(step);
            return self.on_deadline(step);
        }
        let out_of_time = self.record.attempt().is_some_and(|attempt| attempt.deadline <= step.now);
        match &self.state {
            State::Closing { .. } => self.finish_closing(step),
            // A confirmed link may exist: its login is given its time, see `on_link_timeout`.
            State::Linking { .. } | State::ClaimingNumber { .. } => self.on_link_timeout(out_of_time, step),
            State::Waiting { .. } if !out_of_time => self.continue_attempt(step),
            State::Opening { .. } | State::AwaitingScan { .. } if !out_of_time => {
                self.next_socket(Reason::NoAnswer, step);
            }
            State::AwaitingPasskey { .. } if !out_of_time => self.on_passkey_timeout(step),
            State::Waiting { .. }
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. } => self.end_attempt_by_timeout(step),
            State::Admitting { .. } => self.on_admission_timeout(out_of_time, step),
            State::Reclaiming { .. } => self.on_claimed(Err(ClaimError::Late), step),
            State::Connecting { .. } => self.on_login_timeout(step),
            State::Online { .. } => self.fetch_groups(step),
            State::Reconnecting { .. } => self.log_in(step),
            State::Held { .. } => self.on_hold_over(step),
            State::Deleted { .. } => self.retire(step),
            State::Unpaired | State::Gone => {}
        }
    }

    fn on_leave(&mut self, leaving: Leaving, step: &mut Step) {
        if !self.is_gone() {
            self.leave(leaving, step);
        }
    }

    fn set_status(&mut self, status: Status, reason: impl Into<StatusReason>, step: &mut Step) {
        self.record.set_status(status, reason, step.now);
    }

    /// Writes the row from the record, together with the change. Every write of a deleted
    /// account at rest claims that the deletion is complete; the statement checks whether it is.
    fn write(&mut self, mut change: Change, step: &mut Step) {
        let record = self.record.clone();
        change.deletes |= record.deleted_at.is_some() && record.status == Status::Unpaired;
        step.order(Effect::Record(Box::new(Update { record, change })));
    }

    /// Writes the row without events.
    fn write_row(&mut self, step: &mut Step) {
        self.write(Change::default(), step);
    }

    fn audit(&self, source: &str, action: AuditAction, raw: Option<&str>) -> AuditEntry {
        AuditEntry {
            source: source.to_owned(),
            action,
            raw: raw.map(str::to_owned),
            payload: serde_json::Value::Object(serde_json::Map::new()),
        }
    }

    /// The keyring of the pairing connection that is open now. Derived, so that the
    /// machine stays a function of its inputs; the seed keeps it unique among lives.
    fn fresh_keyring(&self) -> KeyringId {
        let mixed =
            self.seed ^ (u128::from(self.incarnation.0)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        KeyringId(uuid::Builder::from_random_bytes(mixed.to_be_bytes()).into_uuid())
    }
}
