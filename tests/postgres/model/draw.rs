//! Draws the statements of a history: mostly what a daemon would send, sometimes what no daemon may.

use std::time::Duration;

use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, Change, ChangeId, CommandId, Desired, Event, Fence, Finished, KeyringId, Link,
    LinkedDevice, PairMethod, PairRequest, Phone, SealedKeys, SealedRecord, Status, StatusReason, TakingId, TicketId,
    TicketReason, TicketRecord, Unlinked, Write,
};
use paird_actors::simulation::model::Statement;
use uuid::Uuid;

use super::{Both, RECORD, TTL, now};

impl Both {
    pub(super) fn process(&mut self) -> Uuid {
        self.dice.one_of(&self.processes).unwrap()
    }

    pub(super) fn account(&mut self) -> AccountId {
        self.dice.one_of(&self.accounts).unwrap()
    }

    /// Mostly the owner and its fence.
    pub(super) fn owner_of(&mut self, account: AccountId) -> (Uuid, Fence) {
        let row = &self.model.accounts[&account];
        let (owner, fence) = (row.owner, row.record.fence);
        let another = self.process();
        let process = owner.filter(|_| !self.dice.chance(10)).unwrap_or(another);
        (process, if self.dice.chance(10) { Fence(fence.0 - 1) } else { fence })
    }

    pub(super) fn draw(&mut self) -> Statement {
        let process = self.process();
        let account = self.account();
        let (owner, fence) = self.owner_of(account);
        match self.dice.below(60) {
            0 => {
                self.renewals += 1;
                let (draining, drain_no) = self.drain();
                Statement::TakeLease { process, ttl: TTL, renewal: self.renewals, draining, drain_no }
            }
            1 | 2 => {
                self.renewals += 1;
                let (draining, drain_no) = self.drain();
                let refresh = self.dice.chance(30);
                Statement::RenewLease { process, ttl: TTL, renewal: self.renewals, refresh, draining, drain_no }
            }
            3 => Statement::SurveyDaemons { process },
            4 if self.dice.chance(30) => Statement::ReleaseLease { process },
            4 => Statement::ShortenLease { process, left: if self.dice.chance(50) { Duration::ZERO } else { TTL } },
            5 if self.dice.chance(30) => Statement::BuryProcesses { gone: vec![process] },
            5 | 6 => {
                let (draining, drain_no) = self.drain();
                Statement::SetDraining { process, draining, drain_no }
            }
            7 => {
                let drain_no = self.model.processes.get(&process).map_or(0, |row| row.drain_no);
                Statement::GiveAccountsBack { process, drain_no: drain_no - i64::from(self.dice.chance(20)) }
            }
            8 => Statement::Survey { process, running: vec![account] },
            9 | 10 => Statement::ClaimAccounts { process, limit: 1 + u32::try_from(self.dice.below(3)).unwrap() },
            11 => Statement::ReleaseAccount { process: owner, account, fence },
            12 => Statement::RetakeAccount { process: owner, account, fence },
            13 => Statement::LoadConnectionSettings { process: owner, account, fence },
            14..=17 => {
                let handed = self.taken.iter().copied().filter(|_| self.dice.chance(90)).collect();
                Statement::TakeCommands { process, taking: TakingId(Uuid::from_u128(self.dice.wide())), handed }
            }
            18 => Statement::FailOrphanedCommands,
            19 => {
                let commands = self.taken.iter().copied().filter(|_| self.dice.chance(60)).collect();
                Statement::RequeueCommands { process: owner, commands }
            }
            // Often, so that most accounts have an owner with a live lease.
            37..=41 => {
                self.renewals += 1;
                let (renewal, (draining, drain_no)) = (self.renewals, (false, self.drains));
                Statement::TakeLease { process, ttl: TTL, renewal, draining, drain_no }
            }
            42..=45 => Statement::ClaimAccounts { process, limit: 2 },
            20..=23 => self.draw_of_a_ticket().unwrap_or(Statement::SurveyDaemons { process }),
            24..=27 => self.draw_of_keys().unwrap_or(Statement::SurveyDaemons { process }),
            _ => self.draw_change(account, owner, fence),
        }
    }

    fn drain(&mut self) -> (bool, i64) {
        self.drains += i64::from(self.dice.chance(60));
        (self.dice.chance(30), self.drains)
    }

    fn draw_of_a_ticket(&mut self) -> Option<Statement> {
        let known: Vec<TicketId> = self.model.tickets.keys().copied().collect();
        let (id, row) = self.dice.one_of(&known).map(|id| (id, self.model.tickets[&id].clone()))?;
        let (process, fence) = self.owner_of(row.account);
        let ticket = TicketRecord {
            id,
            account: row.account,
            label: String::new(),
            fence,
            keyring: row.keyring,
            reason: row.reason.clone(),
            attempts: row.attempts,
            last_error: None,
            next_retry_at: row.next_retry_at,
            abandon_at: row.abandon_at,
        };
        let reason = "gone".to_owned();
        Some(match self.dice.below(4) {
            0 => Statement::LoadTicket { process, ticket: id },
            1 => {
                let error = format!("try {}", self.dice.below(3));
                let attempts = row.attempts + u32::try_from(self.dice.below(3)).unwrap();
                Statement::RetryTicket { process, ticket, attempts, error, next_retry_at: now() }
            }
            2 => Statement::CloseTicket {
                process,
                ticket,
                is_abandoned: false,
                event: Event::AccountUnlinked { reason },
            },
            _ => {
                Statement::CloseTicket { process, ticket, is_abandoned: true, event: Event::UnlinkAbandoned { reason } }
            }
        })
    }

    fn draw_of_keys(&mut self) -> Option<Statement> {
        let present: Vec<_> = self.model.keyrings.iter().map(|(id, row)| (row.account, *id)).collect();
        let known = if self.dice.chance(80) { &present } else { &self.keyrings };
        let (account, keyring) = self.dice.one_of(known)?;
        let (process, fence) = self.owner_of(account);
        let epoch = self.model.keyrings.get(&keyring).map_or(1, |row| row.epoch) - i64::from(self.dice.chance(30));
        if self.dice.chance(30) {
            self.openings += 1;
            return Some(Statement::OpenKeyring { process, account, fence, keyring, opening: self.openings });
        }
        self.stamps += 1;
        Some(Statement::PutCredentials { process, account, fence, keyring, epoch, counter: self.stamps })
    }

    fn draw_change(&mut self, account: AccountId, process: Uuid, fence: Fence) -> Statement {
        let row = self.model.accounts[&account].clone();
        let former: Vec<ChangeId> = self
            .issued
            .iter()
            .filter_map(|issued| match issued {
                Statement::RecordChange { write, .. } => Some(write.id),
                _ => None,
            })
            .collect();
        let another = self.dice.one_of(&former);
        let follows = if self.dice.chance(10) { another } else { row.last_change };
        let mine: Vec<KeyringId> =
            self.keyrings.iter().filter(|(of, _)| *of == account).map(|(_, keyring)| *keyring).collect();
        let links = self.dice.chance(25);
        let fresh = KeyringId(Uuid::from_u128(self.dice.wide()));
        let mut record = self.draw_record(&row.record, fence, &mine);
        if links {
            let device = LinkedDevice { keyring: fresh, phone: record.phone().cloned(), jid: None };
            record.link = Link::LeftBehind { device, parked: record.keyring() };
        }
        let commands: Vec<CommandId> = self.model.commands.keys().copied().collect();
        let mut change = Change { deletes: self.dice.chance(15), ..Change::default() };
        if change.deletes || self.dice.chance(10) {
            change.events.push(Event::AccountDeleted { unlinked: Unlinked::None });
        }
        for _ in 0..self.dice.below(3) {
            change.events.push(Event::Timeout { after: None });
        }
        if let Some(command) = self.dice.one_of(&commands).filter(|_| self.dice.chance(50)) {
            let result = if self.dice.chance(50) { Ok("done".to_owned()) } else { Err("not done".to_owned()) };
            change.finished.push(Finished { command, kind: "account.pair".to_owned(), result });
        }
        let old = self.dice.one_of(&mine).filter(|_| self.dice.chance(60));
        change.tickets.extend(old.map(|keyring| (keyring, TicketReason::PairedAgain)));
        change.erase.extend(self.dice.one_of(&mine).filter(|_| self.dice.chance(20)));
        change.links = links.then(|| phone(1));
        let keys = links.then(|| {
            self.keyrings.push((account, fresh));
            let (kind, name) = RECORD;
            let record = SealedRecord { kind, name: name.to_owned(), sealed: vec![1], stamp: 0 };
            SealedKeys { keyring: fresh, wrapped_key: vec![1], master_key: "m".to_owned(), records: vec![record] }
        });
        let id = ChangeId(Uuid::from_u128(self.dice.wide()));
        Statement::RecordChange { process, write: Box::new(Write { id, follows, record, change, keys, qr_png: None }) }
    }

    fn draw_record(&mut self, row: &AccountRecord, fence: Fence, mine: &[KeyringId]) -> AccountRecord {
        let statuses = [
            Status::Unpaired,
            Status::Pending,
            Status::Connected,
            Status::Reconnecting,
            Status::Held,
            Status::Deleting,
        ];
        let status = self.dice.one_of(&statuses).unwrap();
        let desired = self.dice.one_of(&[Desired::Paired, Desired::Unpaired, Desired::Deleted]).unwrap();
        let phone = match self.dice.below(4) {
            0 => None,
            1 => Some(phone(1)),
            2 => Some(phone(2)),
            _ => row.phone().cloned(),
        };
        let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
        let keyring = self.dice.one_of(mine).filter(|_| self.dice.chance(60));
        let linking = self.dice.one_of(mine).filter(|linking| Some(*linking) != keyring && self.dice.chance(30));
        let device = linking.map(|keyring| LinkedDevice { keyring, phone: phone.clone(), jid: None });
        let link = match (device, keyring) {
            (device, parked) if self.dice.chance(30) => {
                Link::Pairing { attempt: Attempt { deadline: now(), request, device }, parked }
            }
            (Some(device), parked) => Link::LeftBehind { device, parked },
            (None, Some(keyring)) => Link::Held(LinkedDevice { keyring, phone, jid: None }),
            (None, None) => Link::None,
        };
        // A deleted account stays deleted: alive again it would have its number without claiming it.
        let deleted_at = row.deleted_at.or_else(|| self.dice.chance(2).then(now));
        AccountRecord {
            fence,
            status,
            reason: StatusReason::parse(&format!("r{}", self.dice.below(5))),
            since: now(),
            desired,
            next_retry_at: self.dice.chance(20).then(now),
            link,
            deleted_at,
            released_at: self.dice.chance(10).then(now),
            ..row.clone()
        }
    }
}

fn phone(nth: u8) -> Phone {
    Phone::parse(&format!("4366012345{nth:02}")).unwrap()
}
