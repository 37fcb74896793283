//! A pair attempt: as many sockets as fit into its time, one admission, one link.

use std::time::Duration;

use super::{CommandInput, Effect, Lifecycle, State, Step, closing::AfterClose};
use crate::domain::{
    AccountRecord, Attempt, CancelReason, Change, Claim, ClaimError, CloseReason, CodeChange, CodeOver, Desired, Event,
    Instant, LinkedDevice, PairMethod, PairRequest, Phone, Purpose, QrChange, Reason, Refuse, Secret, Status,
    StatusReason, Update, Verdict, jitter,
};

impl Lifecycle {
    /// Unpaired | Held | Reconnecting | (any attempt, closed) → Opening
    pub(super) fn begin_attempt(&mut self, request: PairRequest, command: CommandInput, step: &mut Step) {
        let mut change = Change::out_of_pending();
        self.end_attempt_into(&mut change, Event::Cancelled { reason: CancelReason::Superseded });
        // It was reconnecting, and consumers still believe that it is connected.
        if self.record.status == Status::Connected || self.record.released_at.is_some() {
            change.events.push(Event::Disconnected { reason: Reason::Pairing.into(), next_retry_at: step.now });
        }
        self.leave_behind_into(&mut change);
        self.backoff.reset();
        self.was_prompt = false;
        self.setback = None;
        let deadline = step.now.after(self.policy.pair_timeout);
        self.record.begin_attempt(Attempt { deadline, request, device: None });
        self.record.desired = Desired::Paired;
        self.record.next_retry_at = None;
        self.set_status(Status::Pending, Reason::Opening, step);
        // A new attempt is a new `pending`, also where one was running.
        self.record.since = step.now;
        let until = deadline.to_utc().format("%H:%M:%S UTC");
        change.finished.push(command.ended(Ok(format!("pairing started; scan before {until}"))));
        self.write(change, step);
        self.source = command.source;
        self.open_pairing(true, step);
    }

    /// → Linking where a link may exist already, else → Opening
    pub(super) fn continue_attempt(&mut self, step: &mut Step) {
        match self.record.linking() {
            Some(keyring) => {
                self.incarnation = self.incarnation.next();
                step.order(Effect::Open { incarnation: self.incarnation, keyring, purpose: Purpose::Login });
                self.state = State::Linking { until: step.now.after(self.policy.turn_timeout) };
            }
            None => self.open_pairing(false, step),
        }
    }

    /// → Opening
    fn open_pairing(&mut self, begins: bool, step: &mut Step) {
        let code_for = match self.record.attempt().map(|attempt| &attempt.request.method) {
            Some(PairMethod::Code { phone }) => Some(phone.clone()),
            Some(PairMethod::Qr) | None => None,
        };
        self.incarnation = self.incarnation.next();
        self.socket_since = step.now;
        let keyring = self.fresh_keyring();
        step.order(Effect::Open { incarnation: self.incarnation, keyring, purpose: Purpose::Pair { code_for } });
        self.state = State::Opening { begins, until: step.now.after(self.policy.open_timeout) };
    }

    /// Opening | AwaitingScan → AwaitingScan. The same payload again is nothing.
    pub(super) fn on_qr(&mut self, payload: Secret, expires_at: Instant, step: &mut Step) {
        let again = matches!(&self.state, State::AwaitingScan { shown: Some(shown), .. } if *shown == payload);
        if again || !self.state.may_show() {
            return;
        }
        let until = self.silent_after(expires_at);
        let begins = matches!(self.state, State::Opening { begins: true, .. });
        self.state = State::AwaitingScan { shown: Some(payload.clone()), until };
        self.record.next_retry_at = None;
        // In code mode the QR is only an alternative, so the reason keeps describing the code.
        if !self.is_by_code() || begins {
            self.set_status(Status::Pending, self.still(Reason::WaitingForScan), step);
        }
        let expires_at = self.within_the_attempt(expires_at);
        let change = Change {
            qr: QrChange::Show { payload, at: step.now, expires_at },
            events: vec![Event::Qr { ts: step.now, expires_at }],
            ..Change::default()
        };
        self.write(change, step);
    }

    /// AwaitingScan → AwaitingScan
    pub(super) fn on_qr_over(&mut self, step: &mut Step) {
        if let State::AwaitingScan { shown, .. } = &mut self.state
            && shown.take().is_some()
        {
            let change = Change { qr: QrChange::Clear, ..Change::default() };
            self.write(change, step);
        }
    }

    /// Opening | AwaitingScan → AwaitingScan
    pub(super) fn on_code(&mut self, code: Secret, expires_at: Instant, step: &mut Step) {
        if !self.state.may_show() {
            return;
        }
        let until = self.silent_after(expires_at);
        let shown = if let State::AwaitingScan { shown, .. } = &self.state { shown.clone() } else { None };
        self.state = State::AwaitingScan { shown, until };
        self.record.next_retry_at = None;
        self.set_status(Status::Pending, self.still(Reason::WaitingForCode), step);
        let expires_at = self.within_the_attempt(expires_at);
        let change = Change {
            pair_code: CodeChange::Show(code),
            events: vec![Event::Code { ts: step.now, expires_at }],
            ..Change::default()
        };
        self.write(change, step);
    }

    /// Nothing of an ended code stays on the row. A QR may be there still.
    /// Opening | AwaitingScan → the same
    pub(super) fn on_code_over(&mut self, why: &CodeOver, step: &mut Step) {
        if !self.state.may_show() {
            return;
        }
        let reason = match why {
            CodeOver::Expired => Reason::CodeExpired.into(),
            CodeOver::Spent => StatusReason::new(Reason::CodeExpired, "it was typed and did not link the phone"),
            CodeOver::Refused(why) => StatusReason::new(Reason::CodeRefused, why),
        };
        self.say_before_the_scan(reason, step);
        let change = Change { pair_code: CodeChange::Clear, ..Change::default() };
        self.write(change, step);
    }

    /// A scan that WhatsApp or the phone did not like; the next may do.
    pub(super) fn on_scan_rejected(&mut self, reason: &str, step: &mut Step) {
        if !self.state.awaits_phone() {
            return;
        }
        let reason = StatusReason::new(Reason::ScanRejected, reason);
        if matches!(self.state, State::AwaitingPasskey { .. }) {
            // The exchange is lost with the socket, and no QR is on the row.
            return self.next_socket(reason, step);
        }
        self.say_before_the_scan(reason, step);
        self.write_row(step);
    }

    /// What has gone wrong so far; the attempt goes on with the same socket.
    fn say_before_the_scan(&mut self, reason: StatusReason, step: &mut Step) {
        if let State::Opening { begins, .. } = &mut self.state {
            *begins = false;
        }
        self.keep_setback(&reason);
        self.set_status(Status::Pending, reason, step);
    }

    /// A reason to wait, with the try that came to nothing before.
    fn still(&self, waiting: Reason) -> StatusReason {
        StatusReason::after(waiting, self.setback.as_ref())
    }

    /// Keeps what a try came to, until there is another one.
    fn keep_setback(&mut self, reason: &StatusReason) {
        let was_tried = match &self.state {
            State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::Linking { .. }
            | State::ClaimingNumber { .. } => true,
            // 515 belongs to a link: one that comes sooner took a scan with it.
            State::AwaitingScan { .. } => reason.is_refusal() || reason.word() == Reason::RestartRequired,
            State::Unpaired
            | State::Waiting { .. }
            | State::Opening { .. }
            | State::Reclaiming { .. }
            | State::Connecting { .. }
            | State::Online { .. }
            | State::Reconnecting { .. }
            | State::Held { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => reason.is_refusal(),
        };
        if was_tried && reason.setback().is_some() {
            self.setback = Some(reason.clone());
        }
    }

    /// Nothing that is shown lasts longer than its attempt.
    pub(super) fn within_the_attempt(&self, at: Instant) -> Instant {
        self.record.attempt().map_or(at, |attempt| at.min(attempt.deadline))
    }

    /// The phone scanned, and nothing is linked yet. AwaitingScan → Admitting | Closing
    pub(super) fn on_scanned(&mut self, phone: Phone, device_jid: String, step: &mut Step) {
        if !self.state.awaits_phone() {
            return;
        }
        self.setback = None;
        let until = step.now.after(self.policy.admission_timeout);
        let before_link = self.policy.refuse == Refuse::BeforeLink;
        let claimed = before_link.then(|| phone.clone());
        let device = LinkedDevice { keyring: self.fresh_keyring(), phone: claimed, jid: Some(device_jid) };
        let mut record = self.record.clone();
        record.begin_link(device);
        record.set_status(Status::Pending, Reason::Linking, step.now);
        self.state = State::Admitting { phone: phone.clone(), claimed: Box::new(record.clone()), until };
        // After a link, the questions are asked after the first login, see `on_open`.
        if before_link && let Some(wrong) = self.wrong_phone(&phone) {
            return self.end_attempt(wrong, Reason::WrongPhone, step);
        }
        self.claim(Update { record, change: Change { links: Some(phone), ..Change::out_of_pending() } }, step);
    }

    /// The store said whether the number is free. Anywhere but in the states that ask, the
    /// question was overtaken: by a deadline, or by the owner leaving.
    pub(super) fn on_claimed(&mut self, answer: Result<Claim, ClaimError>, step: &mut Step) {
        match &mut self.state {
            State::Admitting { phone, claimed, .. } => {
                let (phone, claimed) = (phone.clone(), (**claimed).clone());
                self.on_admitted(phone, claimed, answer, step);
            }
            State::ClaimingNumber { phone, claimed, .. } => {
                let (phone, claimed) = (phone.clone(), (**claimed).clone());
                self.on_number_claimed(phone, claimed, answer, step);
            }
            State::Reclaiming { command, waiting, claimed, .. } => {
                let (command, waiting) = (command.clone(), std::mem::take(waiting));
                let claimed = (**claimed).clone();
                self.state = State::Unpaired;
                self.on_reclaimed(command, waiting, claimed, answer, step);
            }
            State::Unpaired
            | State::Waiting { .. }
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Linking { .. }
            | State::Connecting { .. }
            | State::Online { .. }
            | State::Reconnecting { .. }
            | State::Held { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => {}
        }
    }

    /// The keys are durable and the number is the account's, or neither. Admitting → Linking | Closing
    fn on_admitted(
        &mut self,
        phone: Phone,
        claimed: AccountRecord,
        answer: Result<Claim, ClaimError>,
        step: &mut Step,
    ) {
        match answer {
            Ok(Claim::Granted) => {
                self.record = claimed;
                self.state = State::Linking { until: step.now.after(self.policy.link_timeout) };
                step.order(Effect::ConfirmLink(self.incarnation));
            }
            Ok(Claim::Duplicate { existing_label }) => {
                self.end_attempt(Event::Duplicate { phone, existing_label }, Reason::Duplicate, step);
            }
            Err(why) => self.next_socket(StatusReason::new(Reason::StoreFailed, why.to_string()), step),
        }
    }

    /// No answer from the database: the phone is not left hanging. Admitting → Closing
    pub(super) fn on_admission_timeout(&mut self, out_of_time: bool, step: &mut Step) {
        if out_of_time {
            self.end_attempt_by_timeout(step);
        } else {
            self.next_socket(StatusReason::new(Reason::StoreFailed, ClaimError::Late.to_string()), step);
        }
    }

    /// The link may exist, and no login came. Linking | ClaimingNumber → Closing
    pub(super) fn on_link_timeout(&mut self, out_of_time: bool, step: &mut Step) {
        if self.record.attempt().is_none() {
            return self.on_login_timeout(step);
        }
        if out_of_time {
            self.end_attempt_by_timeout(step);
        } else {
            self.next_socket(Reason::NoLogin, step);
        }
    }

    /// The connection ended by itself, within an attempt. → Closing
    pub(super) fn on_attempt_lost(&mut self, reason: &CloseReason, step: &mut Step) {
        let linking = matches!(self.state, State::Linking { .. } | State::ClaimingNumber { .. });
        let hopeless = reason.ends_an_attempt() || (linking && matches!(reason.verdict(), Verdict::Hold { .. }));
        if hopeless {
            return self.end_attempt(Event::Failed { reason: reason.reason() }, reason.reason(), step);
        }
        if self.socket_since.until(step.now) >= self.policy.stable_after {
            self.backoff.reset();
            self.was_prompt = false;
        }
        // No phone ever linked these keys, or it removed the device at once.
        let erase_linking = linking
            && match reason.verdict() {
                Verdict::LinkGone => true,
                Verdict::LookAgain => self.is_gone_at_the_second_look(),
                Verdict::Retry | Verdict::RestartNow | Verdict::Hold { .. } => false,
            };
        let is_no_failure = *reason == CloseReason::QrExhausted
            || matches!(reason.verdict(), Verdict::RestartNow | Verdict::LinkGone | Verdict::LookAgain);
        // Only the first time: a server that meets each fresh socket with one of these would
        // be dialled as fast as it answers.
        let at_once = is_no_failure && !std::mem::replace(&mut self.was_prompt, true);
        let wait = if at_once { Duration::ZERO } else { self.backoff.next(self.policy.backoff(), self.seed) };
        let until = step.now.after(wait);
        let reason = reason.reason();
        self.keep_setback(&reason);
        self.close_then(AfterClose::NextSocket { reason, until, erase_linking }, step);
    }

    /// The attempt goes on with another socket, soon. → Closing
    pub(super) fn next_socket(&mut self, reason: impl Into<StatusReason>, step: &mut Step) {
        let until = step.now.after(jitter(self.policy.socket_retry, self.seed, self.incarnation.0));
        let reason = reason.into();
        self.keep_setback(&reason);
        self.close_then(AfterClose::NextSocket { reason, until, erase_linking: false }, step);
    }

    /// → Closing
    pub(super) fn end_attempt(&mut self, terminal: Event, reason: impl Into<StatusReason>, step: &mut Step) {
        self.close_then(AfterClose::EndAttempt { terminal, reason: reason.into(), cancel: None }, step);
    }

    /// → Closing
    pub(super) fn end_attempt_by_timeout(&mut self, step: &mut Step) {
        let after = self.cause_of_timeout();
        let reason = StatusReason::after(Reason::Timeout, after.as_ref());
        self.end_attempt(Event::Timeout { after }, reason, step);
    }

    /// Why there is no link, where more is known than that nobody scanned.
    fn cause_of_timeout(&self) -> Option<StatusReason> {
        if matches!(self.state, State::Admitting { .. }) {
            return Some(StatusReason::new(Reason::StoreFailed, ClaimError::Late.to_string()));
        }
        if self.record.linking().is_some() {
            return Some(Reason::NoLogin.into());
        }
        let reason = &self.record.reason;
        if matches!(reason.word(), Reason::WaitingForPasskey | Reason::WaitingForPasskeyConfirmation) {
            return Some(Reason::PasskeyTimeout.into());
        }
        reason.setback().or_else(|| self.setback.clone())
    }

    fn is_by_code(&self) -> bool {
        let method = self.record.attempt().map(|attempt| &attempt.request.method);
        matches!(method, Some(PairMethod::Code { .. }))
    }

    /// A QR and a code may be on show together; the one that lasts longer counts.
    fn silent_after(&self, expires_at: Instant) -> Instant {
        let until = expires_at.after(self.policy.qr_silence);
        if let State::AwaitingScan { until: former, .. } = &self.state { until.max(*former) } else { until }
    }

    /// The number that was scanned, where the operator expects another.
    pub(super) fn wrong_phone(&self, phone: &Phone) -> Option<Event> {
        let expected = self.record.attempt()?.request.only_phone()?;
        (!expected.is_same_number(phone))
            .then(|| Event::WrongPhone { phone: phone.clone(), expected: expected.clone() })
    }
}
