//! Life with a link: logging in, staying, losing the connection, coming back.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use super::{CommandInput, Effect, Lifecycle, State, Step, closing::AfterClose, state::Groups};
use crate::domain::{
    AccountRecord, AuditAction, Backoff, Change, Claim, ClaimError, CloseReason, CodeChange, CommandKind, Desired,
    Event, Finished, Group, GroupsError, HoldCause, Instant, Phone, Policy, Purpose, QrChange, Reason, Status,
    TicketReason, Update, Verdict, jitter, share,
};

/// After so many pauses without a reported change, the pause is as short as at first.
const QUIET: u32 = 8;

impl Lifecycle {
    /// Reconnecting | Held | Unpaired (with keys) → Connecting
    pub(super) fn log_in(&mut self, step: &mut Step) {
        self.log_in_as(false, step);
    }

    pub(super) fn log_in_as(&mut self, is_trial: bool, step: &mut Step) {
        let Some(keyring) = self.record.keyring() else {
            return self.close_then(
                AfterClose::LinkGone { reason: CloseReason::LoggedOut("no keys are stored".to_owned()) },
                step,
            );
        };
        self.incarnation = self.incarnation.next();
        step.order(Effect::Open { incarnation: self.incarnation, keyring, purpose: Purpose::Login });
        self.state = State::Connecting { is_trial, until: step.now.after(self.policy.turn_timeout) };
    }

    /// The shell has come to opening the connection that was ordered: a write that the
    /// database was slow with has taken none of its time. The state stays.
    pub fn open_begins(&mut self, now: Instant) {
        let Policy { turn_timeout, open_timeout, .. } = self.policy;
        self.set_login_deadline(now, turn_timeout, turn_timeout, open_timeout);
    }

    /// The connection's turn has come: from now on its time is measured. The state stays.
    pub(super) fn on_dialing(&mut self, step: &mut Step) {
        let Policy { link_timeout, open_timeout, .. } = self.policy;
        self.set_login_deadline(step.now, open_timeout, link_timeout, open_timeout);
    }

    /// Of a connection that is not open yet.
    fn set_login_deadline(&mut self, now: Instant, login: Duration, first_login: Duration, pairing: Duration) {
        match &mut self.state {
            State::Connecting { until, .. } => *until = now.after(login),
            State::Linking { until } => *until = now.after(first_login),
            State::Opening { until, .. } => *until = now.after(pairing),
            State::Unpaired
            | State::Waiting { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::ClaimingNumber { .. }
            | State::Reclaiming { .. }
            | State::Online { .. }
            | State::Reconnecting { .. }
            | State::Held { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => {}
        }
    }

    /// `<success>` came. Linking | Connecting → Online | ClaimingNumber | Closing
    pub(super) fn on_open(&mut self, phone: Option<Phone>, device_jid: Option<String>, step: &mut Step) {
        if !matches!(self.state, State::Linking { .. } | State::Connecting { .. }) {
            return;
        }
        let unclaimed = phone.filter(|_| self.record.phone().is_none());
        let Some(phone) = unclaimed else {
            return self.go_online(device_jid, step);
        };
        if let Some(wrong) = self.wrong_phone(&phone) {
            return self.end_attempt(wrong, Reason::WrongPhone, step);
        }
        let update = self.online_update(device_jid, Some(&phone), step);
        let until = step.now.after(self.policy.admission_timeout);
        let (claimed, is_trial) = (Box::new(update.record.clone()), self.state.is_trial());
        self.state = State::ClaimingNumber { phone, claimed, is_trial, until };
        self.claim(update, step);
    }

    /// Asks for the number that the update gives the account. Its outcome is waited for.
    pub(super) fn claim(&mut self, update: Update, step: &mut Step) {
        step.order(Effect::Claim { incarnation: self.incarnation, update: Box::new(update) });
    }

    /// ClaimingNumber → Online | Closing
    pub(super) fn on_number_claimed(
        &mut self,
        phone: Phone,
        claimed: AccountRecord,
        answer: Result<Claim, ClaimError>,
        step: &mut Step,
    ) {
        let pairing = self.record.attempt().is_some();
        match answer {
            Ok(Claim::Granted) => self.be_online(claimed, step),
            Ok(Claim::Duplicate { existing_label }) if pairing => {
                self.end_attempt(Event::Duplicate { phone, existing_label }, Reason::Duplicate, step);
            }
            Ok(Claim::Duplicate { existing_label }) => {
                self.close_then(AfterClose::Park { phone, existing_label }, step)
            }
            Err(why) => self.lose(&CloseReason::StoreFailed(why.to_string()), step),
        }
    }

    /// Linking | Connecting → Online
    fn go_online(&mut self, device_jid: Option<String>, step: &mut Step) {
        let Update { record, change } = self.online_update(device_jid, None, step);
        // A restart that WhatsApp asked for (515) leaves the row as it is and emits no event.
        let is_news = self.record.status != Status::Connected;
        self.be_online(record, step);
        if is_news {
            self.write(change, step);
        }
    }

    /// The row after a login, be it the first one of an attempt or a later one.
    fn online_update(&self, device_jid: Option<String>, phone: Option<&Phone>, step: &Step) -> Update {
        let (mut record, mut change) = (self.record.clone(), Change::default());
        let pairing = record.attempt().is_some();
        if pairing {
            change.tickets.extend(record.complete_link().map(|keyring| (keyring, TicketReason::PairedAgain)));
            change.audit.push(self.audit(&self.source, AuditAction::Paired, None));
            (change.qr, change.pair_code) = (QrChange::Clear, CodeChange::Clear);
            record.groups_synced_at = None;
        }
        record.learn(phone.cloned(), device_jid);
        record.desired = Desired::Paired;
        record.next_retry_at = None;
        // A move that ends in time was never announced, so its end is not, either.
        let is_news = pairing || (record.status != Status::Connected && record.released_at.is_none());
        record.set_status(Status::Connected, Reason::Connected, step.now);
        if is_news {
            change.events.push(Event::Connected { phone: record.phone().cloned() });
        }
        Update { record, change }
    }

    /// Linking | Connecting | ClaimingNumber → Online
    fn be_online(&mut self, record: AccountRecord, step: &mut Step) {
        if self.record.attempt().is_some() {
            self.backoff.reset();
        }
        self.outdated.reset();
        self.doubted = None;
        self.record = record;
        let most = u32::try_from(self.policy.groups_delay.as_millis()).unwrap_or(u32::MAX).max(1);
        let soon = step.now.after(Duration::from_millis(share(self.seed, self.incarnation.0, most).into()));
        let due = self.record.groups_synced_at.map_or(soon, |at| self.groups_refresh(at).max(soon));
        self.state = State::Online { since: step.now, groups: Groups { due: Some(due), ..Groups::default() } };
        self.ask_anew(step);
    }

    /// When groups that were fetched at `at` are fetched again, if no change is reported.
    fn groups_refresh(&self, at: Instant) -> Instant {
        at.after(jitter(self.policy.groups_refresh, self.seed, self.incarnation.0))
    }

    /// The connection ended by itself. any with a session → Closing
    pub(super) fn on_ended(&mut self, reason: &CloseReason, step: &mut Step) {
        if self.state.has_session() && !matches!(self.state, State::Closing { .. }) {
            self.lose(reason, step);
        }
    }

    /// The date that WhatsApp named has come. Held → Connecting
    pub(super) fn on_hold_over(&mut self, step: &mut Step) {
        // Whether WhatsApp takes the client is found out by a few: until then this one is held,
        // and has nothing to tell.
        let is_trial = matches!(self.state, State::Held { cause: HoldCause::OutdatedClient, .. });
        if !is_trial {
            self.record.next_retry_at = Some(step.now);
            self.set_status(Status::Reconnecting, Reason::HoldOver, step);
            self.write_row(step);
        }
        self.log_in_as(is_trial, step);
    }

    /// No login in time. Connecting | ClaimingNumber → Closing
    pub(super) fn on_login_timeout(&mut self, step: &mut Step) {
        let reason = if self.state.is_trial() {
            // Said again as WhatsApp said it: that is on the row still.
            CloseReason::ClientOutdated(self.record.reason.raw().unwrap_or_default().to_owned())
        } else {
            CloseReason::Unreachable("no login in time".to_owned())
        };
        self.lose(&reason, step);
    }

    /// Acts on the verdict of a close. Online | Connecting | ClaimingNumber → Closing
    fn lose(&mut self, reason: &CloseReason, step: &mut Step) {
        if self.record.attempt().is_some() {
            return self.on_attempt_lost(reason, step);
        }
        let stable =
            matches!(self.state, State::Online { since, .. } if since.until(step.now) >= self.policy.stable_after);
        if stable {
            self.backoff.reset();
        }
        let online = matches!(self.state, State::Online { .. });
        let is_trial = self.state.is_trial();
        let after = match reason.verdict() {
            // At once only out of a login that held: a server that answers each
            // login with 515 is met with the backoff.
            Verdict::RestartNow if online => AfterClose::Relogin { reason: reason.clone(), until: step.now, is_trial },
            Verdict::RestartNow | Verdict::Retry => {
                let wait = self.backoff.next(self.policy.backoff(), self.seed);
                AfterClose::Relogin { reason: reason.clone(), until: step.now.after(wait), is_trial }
            }
            Verdict::LinkGone => AfterClose::LinkGone { reason: reason.clone() },
            Verdict::LookAgain if self.is_gone_at_the_second_look() => {
                AfterClose::LinkGone { reason: CloseReason::LoggedOut(reason.raw().unwrap_or_default().to_owned()) }
            }
            Verdict::LookAgain => {
                let wait = self.backoff.next(self.policy.backoff(), self.seed);
                AfterClose::Relogin { reason: reason.clone(), until: step.now.after(wait), is_trial }
            }
            Verdict::Hold { until, cause } => {
                AfterClose::Hold { reason: reason.clone(), cause, until: until.or(self.next_trial(cause, step)) }
            }
        };
        self.close_then(after, step);
    }

    /// WhatsApp does not know the device: whether it said so of the same keys before, with no
    /// login since.
    pub(super) fn is_gone_at_the_second_look(&mut self) -> bool {
        let keyring = self.record.linking().or(self.record.keyring());
        std::mem::replace(&mut self.doubted, keyring) == keyring
    }

    /// When to retry after WhatsApp refused the client version. It may accept it again without
    /// anybody's help, so each account retries at growing intervals.
    pub(super) fn next_trial(&mut self, cause: HoldCause, step: &Step) -> Option<Instant> {
        let is_outdated = cause == HoldCause::OutdatedClient;
        is_outdated.then(|| step.now.after(self.outdated.next(self.policy.outdated(), self.seed)))
    }

    /// Reclaiming → Connecting | Unpaired
    pub(super) fn on_reclaimed(
        &mut self,
        command: CommandInput,
        waiting: Vec<CommandInput>,
        claimed: AccountRecord,
        answer: Result<Claim, ClaimError>,
        step: &mut Step,
    ) {
        match answer {
            Ok(Claim::Granted) => {
                self.record = claimed;
                self.log_in(step);
            }
            Ok(Claim::Duplicate { existing_label }) => {
                let why = format!(
                    "the number is linked to «{existing_label}» now: unpair that account first, or pair this one with another phone"
                );
                self.fail(&command, &why, step);
            }
            Err(why) => {
                self.fail(&command, &format!("the database could not say whether the number is free: {why}"), step)
            }
        }
        for command in waiting {
            self.on_command(command, step);
        }
    }

    /// Parked keys are used again. Unpaired | Held | Reconnecting → Connecting
    pub(super) fn start_login(&mut self, command: &CommandInput, step: &mut Step) {
        let Update { record, change } = self.login_update(command, step);
        self.record = record;
        // An operator asked, so the next refusal is reported even if it is not the first.
        self.outdated.reset();
        self.write(change, step);
        self.log_in(step);
    }

    pub(super) fn login_update(&self, command: &CommandInput, step: &Step) -> Update {
        let mut record = self.record.clone();
        record.desired = Desired::Paired;
        record.next_retry_at = Some(step.now);
        record.set_status(Status::Reconnecting, Reason::Resuming, step.now);
        let finished = vec![command.ended(Ok("connecting with the stored keys".to_owned()))];
        Update { record, change: Change { finished, ..Change::default() } }
    }

    /// The groups are due, or their answer is overdue. Online → Online
    pub(super) fn fetch_groups(&mut self, step: &mut Step) {
        let until = step.now.after(self.policy.groups_timeout);
        let State::Online { groups, .. } = &mut self.state else { return };
        if groups.asked {
            return self.on_groups_fetched(Err(GroupsError::Late), step);
        }
        groups.asked = true;
        groups.due = Some(until);
        groups.rush = if groups.changed { groups.rush.saturating_add(1) } else { 0 };
        groups.changed = false;
        step.order(Effect::FetchGroups(self.incarnation));
    }

    /// WhatsApp reports a change of a group: the whole list is fetched soon. Online → Online
    pub(super) fn on_groups_changed(&mut self, step: &mut Step) {
        let (policy, seed) = (self.policy.groups_settle(), self.seed);
        let synced_at = self.record.groups_synced_at;
        let State::Online { groups, .. } = &mut self.state else { return };
        let is_first = !std::mem::replace(&mut groups.changed, true);
        if groups.asked {
            // The pending answer may predate the change.
            return;
        }
        let quiet = policy.wait(groups.rush, seed).saturating_mul(QUIET);
        if is_first && synced_at.is_some_and(|at| at.after(quiet) <= step.now) {
            groups.rush = 0;
        }
        // After a failure, the pause of the retry applies.
        if groups.failures == 0 {
            let settled = step.now.after(policy.wait(groups.rush, seed));
            groups.due = Some(groups.due.map_or(settled, |due| due.min(settled)));
        }
    }

    /// Online → Online
    pub(super) fn on_groups_fetched(&mut self, outcome: Result<Vec<Group>, GroupsError>, step: &mut Step) {
        let (policy, seed) = (self.policy.groups_settle(), self.seed);
        let refresh = self.groups_refresh(step.now);
        let State::Online { groups, .. } = &mut self.state else { return };
        if !groups.asked {
            return;
        }
        groups.asked = false;
        let commands = std::mem::take(&mut groups.commands);
        match outcome {
            Ok(list) => {
                groups.failures = 0;
                let changed = groups.changed.then(|| step.now.after(policy.wait(groups.rush, seed)));
                groups.due = Some(changed.map_or(refresh, |settled| settled.min(refresh)));
                let count = list.len();
                let told = self.told_groups.replace(fingerprint(&list));
                // A refresh that no command requested and that finds no change is not reported.
                let is_news =
                    told != self.told_groups || self.record.groups_synced_at.is_none() || !commands.is_empty();
                self.record.groups_synced_at = Some(step.now);
                let result = || Ok(format!("{count} groups"));
                let kind = CommandKind::SyncGroups;
                let done = |command| Finished { command, kind: kind.to_string(), result: result() };
                let change = Change {
                    groups: Some(list),
                    events: Vec::from_iter(is_news.then_some(Event::GroupsSynced { count })),
                    finished: commands.into_iter().map(done).collect(),
                    ..Change::default()
                };
                self.write(change, step);
            }
            Err(reason) => {
                groups.due = Some(groups_retry(&self.policy, self.seed, step.now, groups.failures));
                groups.failures = groups.failures.saturating_add(1);
                self.fail_syncs(&commands, &format!("the groups could not be fetched: {reason}"), step);
            }
        }
    }
}

/// The same for lists that differ only in their order.
fn fingerprint(groups: &[Group]) -> u64 {
    let mut sorted: Vec<_> = groups.iter().collect();
    sorted.sort_unstable_by(|a, b| a.jid.cmp(&b.jid));
    let mut hasher = DefaultHasher::new();
    sorted.hash(&mut hasher);
    hasher.finish()
}

fn groups_retry(policy: &Policy, seed: u128, now: Instant, failures: u32) -> Instant {
    now.after(Backoff::new(policy.groups_retry, policy.backoff_cap).wait(failures, seed))
}
