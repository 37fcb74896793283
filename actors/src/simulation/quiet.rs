//! The end of a run: when nothing is wrong any more, all is well after a while.

use super::{model::StoredAccount, referee::Rule, schedule::Schedule, whatsapp::SessionStage, world::World};
use crate::domain::{Desired, MessageState, Reason, Status};

/// Between the last act and the end of all faults.
const LAST: i64 = 5_000;
/// A drain ends so long after the faults.
const DRAINS: i64 = 60_000;
/// All is well so long after the last drain.
const SETTLE_TIMEOUT: i64 = 15 * 60_000;
const LOOK: i64 = 2_000;

impl World {
    /// Everything, to the end. How long after the faults it was that all was well.
    pub fn live_through(&mut self, schedule: &Schedule) -> i64 {
        let last = schedule.acts.last().map_or(0, |act| act.at);
        self.until(last + LAST);
        self.end_faults();
        let end = self.now;
        while self.drains_wait() && self.now < end + DRAINS {
            self.until(self.now + LOOK);
            if self.referee.has_objected() {
                return 0;
            }
        }
        if self.drains_wait() {
            let waiting: Vec<_> = self.requests.iter().filter(|request| !request.is_done).cloned().collect();
            self.referee.object(Rule::DrainsEnd, || format!("{waiting:?}"));
        }
        for daemon in 0..self.daemons.len() {
            self.send_request(daemon, false);
        }
        let undrained = self.now;
        loop {
            self.until(self.now + LOOK);
            if self.referee.has_objected() {
                return 0;
            }
            let Some(trouble) = self.trouble() else { break };
            if self.now > undrained + SETTLE_TIMEOUT {
                self.referee.object(Rule::AllIsWell, || trouble);
                return 0;
            }
        }
        self.now - end
    }

    fn drains_wait(&self) -> bool {
        self.requests.iter().any(|request| !request.is_done)
    }

    /// The first thing that is not as it is to be.
    fn trouble(&self) -> Option<String> {
        if self.drains_wait() {
            return Some("somebody waits for a drain".to_owned());
        }
        if let Some((id, command)) = self.model.commands.iter().find(|(_, command)| command.is_open()) {
            return Some(format!("command {id} {} is {:?}", command.kind, command.state));
        }
        if let Some(ticket) = self.model.tickets.values().next() {
            return Some(format!("a ticket is open: {ticket:?}"));
        }
        if let Some(trouble) = self.accounts.iter().find_map(|id| self.trouble_of(self.model.accounts.get(id)?)) {
            return Some(trouble);
        }
        if let Some(trouble) = self.trouble_of_messages() {
            return Some(trouble);
        }
        let known =
            || self.model.accounts.values().flat_map(|row| [row.record.keyring(), row.record.linking()]).flatten();
        if let Some(keyring) = self.model.keyrings.keys().find(|keyring| !known().any(|known| known == **keyring)) {
            return Some(format!("nobody knows keyring {keyring}"));
        }
        if let Some(keyring) = known().find(|keyring| !self.model.keyrings.contains_key(keyring)) {
            return Some(format!("the keys of {keyring} are gone"));
        }
        let listed = self.whatsapp.devices.iter().filter(|(_, device)| device.is_listed);
        for (keyring, device) in listed {
            if !known().any(|known| known == *keyring) {
                return Some(format!("phone {} lists {keyring}, and nobody has its keys", device.phone));
            }
        }
        None
    }

    /// What is due waits only for a link, for room among the day's new chats, or for an account that
    /// is held.
    fn trouble_of_messages(&self) -> Option<String> {
        let now = self.database_now();
        self.model.messages.iter().find_map(|(id, row)| {
            let account = self.model.accounts.get(&row.account)?;
            let is_connected = account.record.status == Status::Connected;
            let is_linked = account.record.keyring().is_some() || account.record.linking().is_some();
            let waits = match row.state {
                MessageState::Queued => {
                    let is_held_up = row.is_new_chat && row.reason.is_some();
                    is_connected && row.due_at <= now && !is_held_up
                }
                MessageState::Sending => is_connected || !is_linked,
                _ => false,
            };
            waits.then(|| format!("message {} of {} is {}: {row:?}", id.0, account.record.label, row.state))
        })
    }

    fn trouble_of(&self, row: &StoredAccount) -> Option<String> {
        let record = &row.record;
        let label = &record.label;
        let lives = || {
            let processes = self.daemons.iter().filter_map(|of| of.process.as_ref());
            processes.flat_map(|process| process.lives.values().map(move |life| (process, life)))
        };
        let mut mine = lives().filter(|(_, life)| life.account() == record.id);
        let life = mine.next();
        if mine.next().is_some() {
            return Some(format!("{label} runs twice"));
        }
        let is_expected = self.model.needs_daemon(row);
        match life {
            None if is_expected => return Some(format!("{label} is {} and does not run", record.status)),
            Some((process, life)) if row.owner != Some(process.id) || !process.owns_lease() => {
                return Some(format!("{label} runs ({}), and its daemon does not own it", life.state()));
            }
            _ => {}
        }
        let session = life.and_then(|(_, life)| life.session()).and_then(|id| self.whatsapp.sessions.get(&id));
        let is_open = session.is_some_and(|session| session.stage == SessionStage::Open);
        match record.status {
            Status::Connected if !is_open => Some(format!("{label} is connected, and is not")),
            Status::Connected if session.map(|session| session.keyring) != record.keyring() => {
                Some(format!("{label} is connected with other keys than its own"))
            }
            Status::Connected | Status::Unpaired if record.linking().is_some() => {
                Some(format!("{label} is {} and linking", record.status))
            }
            Status::Connected => None,
            Status::Unpaired if session.is_some() => Some(format!("{label} is unpaired and has a connection")),
            Status::Unpaired if record.phone().is_some() => Some(format!("{label} is unpaired and holds a number")),
            Status::Unpaired if record.desired == Desired::Paired && record.deleted_at.is_none() => {
                Some(format!("{label} is unpaired and wanted paired"))
            }
            Status::Unpaired => None,
            Status::Held if self.has_refusals_of(record.id) => None,
            Status::Held if record.reason.word() == Reason::Replaced && self.thrown_out.contains(&record.id) => None,
            Status::Held => Some(format!("{label} is held: {}", record.reason)),
            Status::Pending | Status::Reconnecting | Status::Deleting => {
                Some(format!("{label} is {}: {}", record.status, record.reason))
            }
        }
    }
}
