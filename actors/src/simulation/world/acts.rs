//! The acts of a schedule: commands, phones, operators and faults.

use serde_json::json;
use uuid::Uuid;

use super::{
    super::{
        daemon::Arrival,
        schedule::{ActKind, AskedCommand},
    },
    CONNECTIONS, Due, World,
    statements::{Refusal, Wrong},
};
use crate::domain::CloseReason;

/// A phone tries to scan for so long.
const SCANS: i64 = 20_000;

/// An operator's request to a daemon's API, repeated until it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminRequest {
    pub daemon: usize,
    pub drains: bool,
    pub is_done: bool,
    /// It waits for an answer.
    pub is_asked: bool,
}

impl World {
    pub(super) fn act(&mut self, what: ActKind) {
        self.tell(|| format!("* {what:?}"));
        match what {
            ActKind::Command { account, kind } => {
                let Some(id) = self.accounts.get(account).copied() else { return };
                let (kind, args) = match kind {
                    AskedCommand::Pair => ("account.pair", json!({})),
                    AskedCommand::Cancel => ("account.cancel", json!({})),
                    AskedCommand::Unpair => ("account.unpair", json!({})),
                    AskedCommand::UnpairAndLogOut => ("account.unpair", json!({"logout": true})),
                    AskedCommand::Resume => ("account.resume", json!({})),
                    AskedCommand::Reconnect => ("account.reconnect", json!({})),
                    AskedCommand::Delete => ("account.delete", json!({})),
                    AskedCommand::SyncGroups => ("groups.sync", json!({})),
                };
                let command = self.model.add_command(Some(id), kind, args);
                self.tell(|| format!("  command {command} {kind} for a{account}"));
                self.ring(Arrival::Wake);
            }
            ActKind::Orphan => {
                self.model.add_command(None, "account.pair", json!({}));
                self.ring(Arrival::Wake);
            }
            ActKind::Scan { phone, account } => self.scan(phone, account, self.now + SCANS),
            ActKind::CutSocket { account } => {
                let keyring = self.accounts.get(account).and_then(|id| self.model.accounts.get(id));
                let keyring = keyring.and_then(|row| row.record.keyring().or(row.record.linking()));
                if let Some(session) = keyring.and_then(|keyring| self.whatsapp.live.get(&keyring)).copied() {
                    self.hang_up_with(session, CloseReason::SocketLost("cut".to_owned()));
                }
            }
            ActKind::RemoveDevices { phone } => {
                let gone: Vec<_> = self.whatsapp.devices.iter().filter(|(_, device)| device.phone == phone).collect();
                let gone: Vec<_> = gone.into_iter().map(|(keyring, _)| *keyring).collect();
                for keyring in gone {
                    if let Some(device) = self.whatsapp.devices.get_mut(&keyring) {
                        device.is_listed = false;
                    }
                    if let Some(session) = self.whatsapp.live.get(&keyring).copied() {
                        self.hang_up_with(session, CloseReason::LoggedOut("device_removed".to_owned()));
                    }
                }
            }
            ActKind::WhatsAppBusy { ms } => self.whatsapp.busy_until = self.whatsapp.busy_until.max(self.now + ms),
            ActKind::Statements { daemon, sort, count, how } => {
                if let Some(wrong) = self.wrong.get_mut(daemon) {
                    wrong.push(Wrong { sort, left: count, how });
                }
            }
            ActKind::Freeze { daemon, ms } => {
                let connection = self.dice.below(CONNECTIONS);
                let until = self.now + ms;
                if let Some(frozen) = self.frozen.get_mut(daemon).and_then(|all| all.get_mut(connection)) {
                    *frozen = until;
                }
            }
            ActKind::DatabaseAway { ms } => self.away_until = self.away_until.max(self.now + ms),
            ActKind::Stop { daemon, ms, host, order } => self.stop(daemon, ms, host, order),
            ActKind::StopBehindKeys { ms, order } => self.stop_behind_keys = Some((ms, order)),
            ActKind::Kill { daemon, ms } => {
                self.kill(daemon);
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.is_stopped = false;
                }
                self.boot(daemon, ms);
            }
            ActKind::Terminate { daemon, ms } => {
                if let Some(process) = self.daemons.get(daemon).and_then(|of| of.present) {
                    self.note(0, daemon, process, Arrival::Terminate(ms));
                }
            }
            ActKind::Drain { daemon } => self.send_request(daemon, true),
            ActKind::Undrain { daemon } => self.send_request(daemon, false),
            ActKind::HostClock { daemon, ms } => {
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.wall_clock_off = ms;
                }
            }
            ActKind::Refuse { account, what, ms } => {
                let Some(account) = self.accounts.get(account).copied() else { return };
                let until = ms.map(|ms| self.now + ms);
                self.refusals.push(Refusal { account, what, until });
            }
            ActKind::Deaf { daemon, ms } => {
                let until = self.now + ms;
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.deaf_until = of.deaf_until.max(until);
                }
            }
            ActKind::Send(asked) => self.send_message(asked),
            ActKind::CancelMessage { account, nth } => self.cancel_message(account, nth),
            ActKind::RestartActor { account } => {
                let Some(account) = self.accounts.get(account).copied() else { return };
                let owner = self.model.accounts.get(&account).and_then(|row| row.owner);
                for daemon in 0..self.daemons.len() {
                    if let Some(owner) = owner.filter(|owner| self.runs(daemon, *owner)) {
                        self.note(0, daemon, owner, Arrival::RestartActor(account));
                    }
                }
            }
        }
    }

    pub fn runs(&self, daemon: usize, process: Uuid) -> bool {
        self.daemons.get(daemon).is_some_and(|of| of.present == Some(process))
    }

    /// Delivers it to every process that listens.
    pub fn ring(&mut self, note: Arrival) {
        for daemon in 0..self.daemons.len() {
            self.ring_one(daemon, note.clone());
        }
    }

    fn ring_one(&mut self, daemon: usize, note: Arrival) {
        let way = self.dice.spread(1, 20);
        let Some(of) = self.daemons.get(daemon) else { return };
        let process = of.present;
        if let Some(process) = process.filter(|_| of.deaf_until <= self.now) {
            self.note(way, daemon, process, note);
        }
    }

    /// An operator asks a daemon to drain, or not to, until it says that it did.
    pub fn send_request(&mut self, daemon: usize, drains: bool) {
        // The latest word counts.
        for request in self.requests.iter_mut().filter(|request| request.daemon == daemon && request.drains != drains) {
            request.is_done = true;
        }
        self.requests.push(AdminRequest { daemon, drains, is_done: false, is_asked: false });
        self.after(0, Due::Operator(self.requests.len() - 1));
    }

    pub(super) fn ask_for(&mut self, nth: usize) {
        let Some(request) = self.requests.get_mut(nth).filter(|request| !request.is_done && !request.is_asked) else {
            return;
        };
        let (daemon, drains) = (request.daemon, request.drains);
        match self.daemons.get(daemon).and_then(|of| of.present) {
            Some(process) => {
                request.is_asked = true;
                self.note(1, daemon, process, Arrival::AdminRequest(nth, drains));
            }
            // It does not run: when it does, it does not drain.
            None => request.is_done = true,
        }
    }

    /// Delivers the daemon's answer to an operator, who asks again if it was not done.
    pub fn answer_request(&mut self, nth: usize, is_done: bool) {
        if let Some(request) = self.requests.get_mut(nth) {
            request.is_asked = false;
            request.is_done |= is_done;
            if !request.is_done {
                self.after(2_000, Due::Operator(nth));
            }
        }
    }

    /// Nothing is wrong any more from now on, but for what was refused for good.
    pub fn end_faults(&mut self) {
        self.tell(|| "* the faults are over".to_owned());
        for wrong in &mut self.wrong {
            wrong.clear();
        }
        for frozen in &mut self.frozen {
            *frozen = [0; CONNECTIONS];
        }
        self.away_until = 0;
        self.whatsapp.busy_until = 0;
        self.whatsapp.is_calm = true;
        self.stop_behind_keys = None;
        for daemon in 0..self.daemons.len() {
            if let Some(of) = self.daemons.get_mut(daemon) {
                of.deaf_until = 0;
                of.stopped_until = 0;
            }
            self.go_on(daemon);
            self.boot(daemon, 0);
        }
    }
}
