//! The supervisor's shell: what its roster orders, and what came of it.

use uuid::Uuid;

use super::{
    super::{
        flaws::Flaw,
        model::{Statement, StatementAnswer},
        referee::Rule,
        whatsapp::LifeId,
        world::World,
    },
    Arrival, AskedFor, Process,
};
use crate::{
    domain::{AccountId, CommandId, CommandRow, Member, Retired, StoreError, Survey, Taken, TakingId, Trouble},
    supervisor::roster::{Directive, RosterWrite, Started},
};

impl World {
    pub fn wake(&mut self, p: &mut Process, resync: bool) {
        if p.follower.is_some() {
            let directives = p.roster.wake(resync);
            self.follow(p, directives);
        }
    }

    pub fn follow(&mut self, p: &mut Process, directives: Vec<Directive>) {
        for directive in directives {
            self.carry_out_directive(p, directive);
        }
        if let Some(due) = p.roster.deadline() {
            let at = self.mono(p.daemon) + due.0.saturating_sub(self.clock(p).0).max(0) + 1;
            if p.roster_at.is_none_or(|armed| at < armed || armed <= self.mono(p.daemon)) {
                p.roster_at = Some(at);
                self.note(at - self.mono(p.daemon), p.daemon, p.id, Arrival::RosterDue);
            }
        }
    }

    fn carry_out_directive(&mut self, p: &mut Process, directive: Directive) {
        match directive {
            Directive::Start(member) => self.load(p, member, None),
            Directive::StartHeld(account, trouble) => self.load(p, Member::Account(account), Some(trouble)),
            Directive::Deliver(account, row) => self.deliver_command(p, account, &row),
            Directive::Write(write) => self.write_of_roster(p, write),
            Directive::RequeueOf(account, but) => {
                let left = p.handed_out(account).into_iter().filter(|taken| !but.contains(&taken.command)).collect();
                self.requeue(p, left);
            }
            Directive::Drain(member) | Directive::HandOver(member) => {
                p.leaving.insert(member);
                let moves = matches!(directive, Directive::HandOver(_));
                self.tell_to_leave(p, member, moves);
            }
            Directive::FenceOff(member) => {
                let is_spared = self.flaw == Some(Flaw::LeaversKeepTheirSockets) && p.leaving.contains(&member);
                p.leaving.insert(member);
                if !is_spared {
                    self.fence_off(p, member);
                }
            }
            Directive::Claim(limit) => {
                self.ask(p, Statement::ClaimAccounts { process: p.id, limit }, AskedFor::Claimed(limit));
            }
            Directive::Release(account, fence) => {
                let taken = p.handed_out(account);
                let statement = Statement::ReleaseAccount { process: p.id, account, fence };
                self.ask(p, statement, AskedFor::Released(account, fence, taken));
            }
            Directive::Poll { resync: true } => {
                self.ask(p, Statement::Survey { process: p.id, running: p.roster.accounts() }, AskedFor::Surveyed);
            }
            Directive::Poll { resync: false } => self.take_commands(p, false, None),
            Directive::Drained => self.on_drained(p),
        }
    }

    pub(super) fn take_commands(&mut self, p: &mut Process, resync: bool, survey: Option<Survey>) {
        p.looks.0 += 1;
        let handed = p.handed.iter().map(|(command, (_, taking))| Taken { command: *command, taking: *taking });
        let taking = TakingId(Uuid::from_u128(self.dice.wide()));
        let statement = Statement::TakeCommands { process: p.id, taking, handed: handed.collect() };
        self.ask(p, statement, AskedFor::Took { resync, survey });
    }

    pub(super) fn on_took(
        &mut self,
        p: &mut Process,
        resync: bool,
        survey: Option<Survey>,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        p.looks.1 += 1;
        let Ok(StatementAnswer::Commands { due, orphans }) = answer else { return self.on_poll_failed(p, resync) };
        if self.flaw == Some(Flaw::HandsOutUnheard) {
            p.hand_out(&due);
        }
        if orphans {
            let then = AskedFor::FailedOrphans { resync, survey, commands: due };
            return self.ask(p, Statement::FailOrphanedCommands, then);
        }
        self.on_polled(p, survey.as_ref(), due);
    }

    pub(super) fn on_polled(&mut self, p: &mut Process, survey: Option<&Survey>, commands: Vec<CommandRow>) {
        p.hand_out(&commands);
        let directives = p.roster.on_polled(survey, commands, self.clock(p));
        self.follow(p, directives);
    }

    pub(super) fn on_poll_failed(&mut self, p: &mut Process, resync: bool) {
        p.roster.on_poll_failed(resync, self.clock(p));
        self.follow(p, Vec::new());
    }

    fn requeue(&mut self, p: &mut Process, commands: Vec<Taken>) {
        let directives = p.roster.requeue(commands);
        self.follow(p, directives);
    }

    fn write_of_roster(&mut self, p: &mut Process, write: RosterWrite) {
        let process = p.id;
        let statement = match &write {
            RosterWrite::Requeue(commands) => Statement::RequeueCommands { process, commands: commands.clone() },
            RosterWrite::Retake(account, fence) => {
                Statement::RetakeAccount { process, account: *account, fence: *fence }
            }
        };
        self.ask(p, statement, AskedFor::RosterWritten(write));
    }

    pub(super) fn on_roster_written(
        &mut self,
        p: &mut Process,
        write: &RosterWrite,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        if let (RosterWrite::Requeue(commands), Ok(_)) = (write, &answer) {
            p.forget_takings(commands);
        }
        let directives = p.roster.on_written(write, answer.map(drop), self.clock(p));
        self.follow(p, directives);
    }

    fn load(&mut self, p: &mut Process, member: Member, trouble: Option<Trouble>) {
        let process = p.id;
        let statement = match member {
            Member::Account(account) => Statement::LoadAccount { process, account },
            Member::Ticket(ticket) => Statement::LoadTicket { process, ticket },
        };
        self.ask(p, statement, AskedFor::Loaded(member, trouble));
    }

    pub(super) fn on_loaded(
        &mut self,
        p: &mut Process,
        member: Member,
        trouble: Option<Trouble>,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        p.leaving.remove(&member);
        let how = match answer {
            Ok(StatementAnswer::Loaded(Some(loaded))) => {
                self.begin_life(p, *loaded, trouble);
                Started::Running
            }
            Ok(StatementAnswer::Ticket(Some(record))) => {
                self.begin_ticket(p, record);
                Started::Running
            }
            Ok(_) => Started::Absent,
            Err(_) => Started::Failed,
        };
        let directives = p.roster.on_started(member, how, self.clock(p));
        self.follow(p, directives);
    }

    fn deliver_command(&mut self, p: &mut Process, account: AccountId, row: &CommandRow) {
        let life = p.accounts.get(&account).copied().filter(|life| p.lives.contains_key(life));
        let Some(life) = life else { return self.requeue(p, vec![row.taken()]) };
        let daemon = p.daemon;
        let command = row.id;
        self.tell(|| format!("d{daemon} delivers {command} {} to life {life}", row.kind));
        let is_again = !p.delivered.entry(command).or_default().insert(row.taking);
        let is_owner = self.model.accounts.get(&account).is_some_and(|row| row.owner == Some(p.id));
        let is_elsewhere = self.runs_elsewhere(p, account, life, command);
        if is_again || is_elsewhere || (is_owner && self.can_still_end(command)) {
            self.referee.object(Rule::CommandsAreDeliveredOnce, || {
                format!("d{daemon}: command {command} is delivered again, and its first life may end it yet")
            });
        }
        self.command(p, life, row);
    }

    /// Another life has the command, and may write.
    fn runs_elsewhere(&self, p: &Process, account: AccountId, life: LifeId, command: CommandId) -> bool {
        let Some(row) = self.model.accounts.get(&account) else { return false };
        // Without the current fence this life can write nothing.
        let may_write =
            row.owner == Some(p.id) && p.lives.get(&life).is_some_and(|receiver| receiver.fence() == row.record.fence);
        if !may_write {
            return false;
        }
        let mine = p.lives.iter().map(|(id, life)| (p.id, id, life));
        let others = self.daemons.iter().filter_map(|of| of.process.as_ref());
        let theirs = others.flat_map(|of| of.lives.iter().map(|(id, life)| (of.id, id, life)));
        mine.chain(theirs).any(|(process, id, other)| {
            let may_write = row.owner == Some(process) && other.fence() == row.record.fence;
            (may_write && *id != life && other.had(command)) || (*id == life && other.had(command))
        })
    }

    pub(super) fn on_retired(&mut self, p: &mut Process, retired: Retired) {
        match retired.member {
            Member::Account(account) => drop(p.accounts.remove(&account)),
            Member::Ticket(ticket) => drop(p.tickets.remove(&ticket)),
        }
        let daemon = p.daemon;
        self.tell(|| format!("d{daemon} misses {retired:?}"));
        p.leaving.remove(&retired.member);
        let directives = p.roster.on_retired(retired, self.clock(p));
        self.follow(p, directives);
    }
}
