//! Leases of daemons, and which accounts they own.

use std::time::Duration;

use uuid::Uuid;

use super::{
    super::flaws::Flaw,
    Model, count,
    rows::{CommandState, StoredProcess},
    statement::StatementAnswer,
};
use crate::domain::{AccountId, Instant, Owned, Status, Survey, TicketId};

impl Model {
    fn raise_fences(&mut self, process: Uuid) {
        let runs = |account: AccountId| {
            self.commands.values().any(|command| {
                matches!(command.state, CommandState::Queued | CommandState::Running)
                    && command.taken_by == Some(process)
                    && command.account == Some(account)
            })
        };
        let owned = self.accounts.iter().filter(|(_, account)| account.owner == Some(process));
        let (stirring, at_rest): (Vec<_>, Vec<_>) =
            owned.map(|(id, account)| (*id, self.needs_daemon(account) || runs(*id))).partition(|(_, stirs)| *stirs);
        for (id, _) in stirring {
            if let Some(account) = self.accounts.get_mut(&id) {
                account.record.fence.0 += 1;
            }
        }
        self.spared.retain(|(of, _)| *of != process);
        self.spared.extend(at_rest.into_iter().map(|(id, _)| (process, id)));
    }

    pub(super) fn take_lease(
        &mut self,
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        (draining, drain_no): (bool, i64),
        now: Instant,
    ) -> StatementAnswer {
        let expires_at = now.after(ttl);
        let epoch = match self.processes.get_mut(&process) {
            Some(row) if row.renewal >= renewal => None,
            Some(row) => {
                (row.expires_at, row.renewal, row.epoch) = (expires_at, renewal, renewal);
                row.heed(draining, drain_no);
                Some(renewal)
            }
            None => {
                let row = StoredProcess { expires_at, renewal, epoch: renewal, draining, drain_no };
                self.processes.insert(process, row);
                Some(renewal)
            }
        };
        if epoch.is_some() {
            self.raise_fences(process);
        }
        StatementAnswer::Taken { epoch, database_now: now }
    }

    pub(super) fn renew_lease(
        &mut self,
        process: Uuid,
        ttl: Duration,
        (renewal, refresh): (i64, bool),
        (draining, drain_no): (bool, i64),
        now: Instant,
    ) -> StatementAnswer {
        let is_seen = self.flaw != Some(Flaw::RevivesUnseen);
        let heeds_drains = self.flaw != Some(Flaw::LateDrains);
        let mut answer = (false, None, false);
        if let Some(row) = self.processes.get_mut(&process) {
            answer.0 = true;
            let expired = row.expires_at <= now && is_seen;
            if row.renewal < renewal {
                let refreshes = refresh || expired;
                (row.expires_at, row.renewal) = (now.after(ttl), renewal);
                if refreshes {
                    row.epoch = renewal;
                }
                if heeds_drains {
                    row.heed(draining, drain_no);
                }
                answer = (true, Some(row.epoch), expired);
                if refreshes && self.flaw != Some(Flaw::LapseWithoutFences) {
                    self.raise_fences(process);
                }
            }
        }
        let (found, epoch, expired) = answer;
        StatementAnswer::Renewed { found, epoch, expired, database_now: now }
    }

    pub(super) fn survey_daemons(&self, process: Uuid, now: Instant) -> StatementAnswer {
        let live = || self.processes.iter().filter(|(_, row)| row.expires_at > now);
        let next_end = live().filter(|(id, _)| **id != process).map(|(_, row)| now.until(row.expires_at)).min();
        StatementAnswer::Daemons { live: count(live().filter(|(_, row)| !row.draining).count()), next_end }
    }

    pub(super) fn set_owner(&mut self, account: AccountId, owner: Option<Uuid>) {
        if let Some(row) = self.accounts.get_mut(&account) {
            row.owner = owner;
        }
    }

    pub(super) fn give_back(&mut self, process: Uuid) -> u32 {
        self.requeue_running(|command| command.taken_by == Some(process));
        let mut given = 0;
        for account in self.accounts.values_mut().filter(|account| account.owner == Some(process)) {
            account.owner = None;
            given += 1;
        }
        given
    }

    pub(super) fn survey(&self, process: Uuid, running: &[AccountId], now: Instant) -> Survey {
        let needing = || self.accounts.values().filter(|account| self.needs_daemon(account));
        let sharers = || self.processes.iter().filter(|(_, row)| row.expires_at > now && !row.draining);
        let loads = sharers().map(|(id, _)| needing().filter(|account| account.owner == Some(*id)).count());
        let mine =
            self.accounts.values().filter(|account| account.owner == Some(process) && self.is_live(process, now));
        let owned = mine.filter_map(|account| {
            let record = &account.record;
            if !self.needs_daemon(account) && !running.contains(&record.id) {
                return None;
            }
            let tickets: Vec<TicketId> = self.tickets_of(record.id).map(|(id, _)| id).collect();
            let ring = record.keyring().and_then(|keyring| self.keyrings.get(&keyring));
            let is_young = ring.is_some_and(|ring| ring.made_at.after(self.stays_after_linking) > now);
            // A deletion is its account's own business again when it has no ticket any more.
            let only_unlinks = record.status == Status::Deleting
                && record.linking().is_none()
                && record.keyring().is_none()
                && record.attempt().is_none()
                && !tickets.is_empty();
            Some(Owned {
                account: record.id,
                fence: record.fence,
                movable: record.status != Status::Pending && record.linking().is_none() && !is_young,
                active: Self::is_active(record) && !only_unlinks,
                tickets,
            })
        });
        Survey {
            owned: owned.collect(),
            needing: count(needing().count()),
            daemons: count(sharers().count()),
            least: count(loads.min().unwrap_or(0)),
        }
    }

    pub(super) fn claim_accounts(&mut self, process: Uuid, limit: u32, now: Instant) -> StatementAnswer {
        if !self.takes_work(process, now) {
            return StatementAnswer::Claimed(Vec::new());
        }
        let free = self.accounts.values().filter(|account| self.is_free(account, now) && self.needs_daemon(account));
        let mut free: Vec<_> = free.map(|account| account.record.id).collect();
        free.sort_by_key(|id| (!self.has_open_command(*id), *id));
        free.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for id in &free {
            self.claim(*id, process);
            self.requeue_running(|command| command.account == Some(*id));
        }
        StatementAnswer::Claimed(free)
    }

    pub(super) fn claim(&mut self, account: AccountId, process: Uuid) {
        if let Some(row) = self.accounts.get_mut(&account) {
            row.owner = Some(process);
            row.record.fence.0 += 1;
        }
    }
}
