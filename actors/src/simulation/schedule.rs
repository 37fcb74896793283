//! The events of a run besides the daemons' own actions, as a list, so that a run can be
//! repeated and shrunk.

use super::{dice::Dice, schedule_messages::AskedMessage};
use crate::domain::EventKind;

/// Something that happens at a moment, in milliseconds since the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub at: i64,
    pub what: ActKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// An operator sends it; `nth` account, or none.
    Command {
        account: usize,
        kind: AskedCommand,
    },
    /// A command for an account that does not exist.
    Orphan,
    /// The phone scans the account's QR, as soon as one is shown.
    Scan {
        phone: usize,
        account: usize,
    },
    /// WhatsApp cuts the account's connection.
    CutSocket {
        account: usize,
    },
    /// The owner of the phone removes its linked devices.
    RemoveDevices {
        phone: usize,
    },
    /// WhatsApp accepts no login, and confirms nothing.
    WhatsAppBusy {
        ms: i64,
    },
    /// The next statements of that sort.
    Statements {
        daemon: usize,
        sort: StatementKind,
        count: u32,
        how: StatementFault,
    },
    /// One of the connections to the database stands still.
    Freeze {
        daemon: usize,
        ms: i64,
    },
    DatabaseAway {
        ms: i64,
    },
    /// With `host` its clocks stand still, too.
    Stop {
        daemon: usize,
        ms: i64,
        host: bool,
        order: ArrivalOrder,
    },
    /// The next daemon that writes the keys of a link stops before it hears of that.
    StopBehindKeys {
        ms: i64,
        order: ArrivalOrder,
    },
    /// Starts again after so long.
    Kill {
        daemon: usize,
        ms: i64,
    },
    /// The same, in order.
    Terminate {
        daemon: usize,
        ms: i64,
    },
    Drain {
        daemon: usize,
    },
    Undrain {
        daemon: usize,
    },
    /// The host's wall clock is off by this much for processes that start from now on.
    HostClock {
        daemon: usize,
        ms: i64,
    },
    /// The database refuses such changes of the account, for good or for so long.
    Refuse {
        account: usize,
        what: Refused,
        ms: Option<i64>,
    },
    /// Notifications do not arrive.
    Deaf {
        daemon: usize,
        ms: i64,
    },
    /// An admin restarts the account's actor.
    RestartActor {
        account: usize,
    },
    /// A web app sends a message.
    Send(AskedMessage),
    /// A web app cancels the nth from the last of the account's messages.
    CancelMessage {
        account: usize,
        nth: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedCommand {
    Pair,
    Cancel,
    Unpair,
    UnpairAndLogOut,
    Resume,
    Reconnect,
    Delete,
    SyncGroups,
}

/// Which statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    Any,
    Change,
    Take,
    Requeue,
    Orphans,
    Release,
    Claim,
    Load,
    Ticket,
    Opening,
    Keys,
    Renewal,
    Drain,
    TakeMessages,
    Outcomes,
    Receipts,
}

/// The fault of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFault {
    /// Carried out this much later; the caller gives up after its usual timeout.
    Late(i64),
    /// Its connection breaks at once, and it is carried out so much later.
    LateUnheard(i64),
    /// Carried out, and its connection breaks before the answer.
    Unanswered,
    /// Never carried out.
    Failed,
    /// Carried out, answered, and carried out again so much later.
    Twice(i64),
}

/// In which order a process that goes on sees what came while it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalOrder {
    #[default]
    AsItCame,
    TimersFirst,
    TimersLast,
}

/// Changes that the database refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Groups,
    Event(EventKind),
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub seed: u64,
    pub daemons: usize,
    pub accounts: usize,
    pub phones: usize,
    /// Links are refused only after they came about.
    pub after_link: bool,
    pub acts: Vec<Act>,
}

/// A sort of fault that a schedule is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    Statements,
    Renewals,
    Stops,
    Ends,
    Drains,
    Database,
    Sockets,
    Clocks,
    Refusals,
    Deafness,
    /// A daemon wakes up, and believes that it has what it had.
    Awakening,
    /// An account leaves, and is not done, when the lease is lost.
    Stranding,
    /// Accounts move to a daemon that has few, and how that went is not heard.
    Moving,
}

const THEMES: [Theme; 15] = [
    Theme::Statements,
    Theme::Statements,
    Theme::Statements,
    Theme::Renewals,
    Theme::Stops,
    Theme::Ends,
    Theme::Drains,
    Theme::Database,
    Theme::Sockets,
    Theme::Clocks,
    Theme::Refusals,
    Theme::Deafness,
    Theme::Awakening,
    Theme::Stranding,
    Theme::Moving,
];

const SORTS: [StatementKind; 15] = [
    StatementKind::Any,
    StatementKind::Change,
    StatementKind::Change,
    StatementKind::Change,
    StatementKind::Take,
    StatementKind::Requeue,
    StatementKind::Requeue,
    StatementKind::Orphans,
    StatementKind::Release,
    StatementKind::Claim,
    StatementKind::Load,
    StatementKind::Ticket,
    StatementKind::Opening,
    StatementKind::Keys,
    StatementKind::Drain,
];

/// Until the last act.
pub(super) const LENGTH: i64 = 150_000;
const DAY: i64 = 24 * 3_600_000;

impl Schedule {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let daemons = 1 + dice.below(3);
        let accounts = 1 + dice.below(4);
        let phones = 1 + dice.below(accounts);
        let after_link = dice.chance(20);
        let mut schedule = Self { seed, daemons, accounts, phones, after_link, acts: Vec::new() };
        let themes: Vec<Theme> = (0..2 + dice.below(3)).filter_map(|_| dice.one_of(&THEMES)).collect();
        for account in 0..accounts {
            if dice.chance(85) {
                let at = dice.between(500, 6_000);
                schedule.pair(&mut dice, account, at);
            }
        }
        for _ in 0..4 + dice.below(10) {
            let at = dice.between(5_000, LENGTH);
            schedule.operate(&mut dice, at);
        }
        for _ in 0..2 + dice.below(9) {
            let at = dice.between(3_000, LENGTH);
            let theme = dice.one_of(&themes).unwrap_or(Theme::Statements);
            schedule.disturb(&mut dice, theme, at);
        }
        schedule.add_messages();
        schedule.acts.sort_by_key(|act| act.at);
        schedule
    }

    pub(super) fn add(&mut self, at: i64, what: ActKind) {
        self.acts.push(Act { at, what });
    }

    pub(super) fn pair(&mut self, dice: &mut Dice, account: usize, at: i64) {
        self.add(at, ActKind::Command { account, kind: AskedCommand::Pair });
        if dice.chance(90) {
            // Mostly each its own, so that some are refused and most are not.
            let phone = if dice.chance(80) { account % self.phones } else { dice.below(self.phones) };
            let after = dice.spread(50, 20_000);
            self.add(at + after, ActKind::Scan { phone, account });
        }
    }

    fn operate(&mut self, dice: &mut Dice, at: i64) {
        let account = dice.below(self.accounts);
        let kind = match dice.below(20) {
            0..=5 => return self.pair(dice, account, at),
            6 => AskedCommand::Cancel,
            7 | 8 => AskedCommand::Unpair,
            9 | 10 => AskedCommand::UnpairAndLogOut,
            11 | 12 => AskedCommand::Resume,
            13 => AskedCommand::Reconnect,
            14 | 15 => AskedCommand::Delete,
            16 => return self.add(at, ActKind::Orphan),
            17 => return self.add(at, ActKind::RestartActor { account }),
            _ => AskedCommand::SyncGroups,
        };
        self.add(at, ActKind::Command { account, kind });
        // The next event follows at once, and finds it under way.
        if dice.chance(40) {
            let after = dice.spread(1, 10_000);
            self.operate_next(dice, account, kind, at + after);
        }
    }

    fn operate_next(&mut self, dice: &mut Dice, account: usize, kind: AskedCommand, at: i64) {
        match kind {
            AskedCommand::UnpairAndLogOut | AskedCommand::Unpair if dice.chance(50) => {
                self.add(at, ActKind::Command { account, kind: AskedCommand::Delete });
            }
            _ if dice.chance(50) => self.pair(dice, account, at),
            _ => {
                let kind = dice.one_of(&[
                    AskedCommand::Cancel,
                    AskedCommand::Resume,
                    AskedCommand::Delete,
                    AskedCommand::SyncGroups,
                    AskedCommand::Reconnect,
                ]);
                self.add(at, ActKind::Command { account, kind: kind.unwrap_or(AskedCommand::Cancel) });
            }
        }
    }

    fn disturb(&mut self, dice: &mut Dice, theme: Theme, at: i64) {
        let daemon = dice.below(self.daemons);
        match theme {
            Theme::Statements if dice.chance(20) => {
                let ms = dice.spread(1_000, 60_000);
                self.add(at, ActKind::Freeze { daemon, ms });
            }
            Theme::Statements => {
                let sort = dice.one_of(&SORTS).unwrap_or(StatementKind::Any);
                let count = 1 + u32::try_from(dice.below(3)).unwrap_or(0);
                let how = match dice.below(6) {
                    0 => StatementFault::Late(dice.spread(500, 60_000)),
                    1 | 2 => StatementFault::LateUnheard(dice.spread(100, 30_000)),
                    3 => StatementFault::Unanswered,
                    4 => StatementFault::Failed,
                    _ => StatementFault::Twice(dice.spread(50, 30_000)),
                };
                self.add(at, ActKind::Statements { daemon, sort, count, how });
                if sort == StatementKind::Orphans {
                    // Together with a command whose actor ends meanwhile.
                    let (account, after) = (dice.below(self.accounts), dice.spread(20, 8_000));
                    self.add(at + 100, ActKind::Orphan);
                    self.add(at + 100, ActKind::Command { account, kind: AskedCommand::SyncGroups });
                    self.add(at + 100 + after, ActKind::RestartActor { account });
                }
                if matches!(sort, StatementKind::Requeue | StatementKind::Change) && dice.chance(40) {
                    let account = dice.below(self.accounts);
                    let after = dice.spread(50, 4_000);
                    self.add(at + after, ActKind::RestartActor { account });
                }
            }
            Theme::Renewals => {
                let how = if dice.chance(50) {
                    StatementFault::Late(dice.spread(2_000, 30_000))
                } else {
                    StatementFault::Failed
                };
                let count = 1 + u32::try_from(dice.below(30)).unwrap_or(0);
                self.add(at, ActKind::Statements { daemon, sort: StatementKind::Renewal, count, how });
            }
            Theme::Awakening => {
                let account = dice.below(self.accounts);
                let busy = dice.spread(1_000, 20_000);
                self.add(at, ActKind::WhatsAppBusy { ms: busy });
                self.add(at, ActKind::CutSocket { account });
                let (after, ms) = (dice.spread(500, 12_000), dice.between(20_000, 50_000));
                let order =
                    dice.one_of(&[ArrivalOrder::AsItCame, ArrivalOrder::TimersFirst]).unwrap_or(ArrivalOrder::AsItCame);
                self.add(at + after, ActKind::Stop { daemon, ms, host: true, order });
            }
            Theme::Stranding => {
                let account = dice.below(self.accounts);
                let (late, count) = (dice.between(20_000, 50_000), 20 + u32::try_from(dice.below(20)).unwrap_or(0));
                self.add(
                    at,
                    ActKind::Statements {
                        daemon,
                        sort: StatementKind::Change,
                        count: 3,
                        how: StatementFault::Late(late),
                    },
                );
                self.add(
                    at,
                    ActKind::Statements { daemon, sort: StatementKind::Renewal, count, how: StatementFault::Failed },
                );
                self.add(at + 10, ActKind::Command { account, kind: AskedCommand::SyncGroups });
                let after = dice.spread(500, 8_000);
                self.add(at + after, ActKind::Drain { daemon });
            }
            Theme::Moving => {
                let (late, ms) = (dice.spread(500, 20_000), dice.spread(200, 5_000));
                for of in 0..self.daemons {
                    let how =
                        if dice.chance(70) { StatementFault::LateUnheard(late) } else { StatementFault::Unanswered };
                    self.add(at, ActKind::Statements { daemon: of, sort: StatementKind::Release, count: 1, how });
                }
                self.add(at + 10, ActKind::Kill { daemon, ms });
            }
            Theme::Stops => {
                let ms = dice.spread(2_000, 60_000);
                let order = dice.one_of(&[ArrivalOrder::AsItCame, ArrivalOrder::TimersFirst, ArrivalOrder::TimersLast]);
                let host = dice.chance(50);
                self.add(at, ActKind::Stop { daemon, ms, host, order: order.unwrap_or(ArrivalOrder::AsItCame) });
                if dice.chance(25) {
                    let order = dice
                        .one_of(&[ArrivalOrder::AsItCame, ArrivalOrder::TimersLast])
                        .unwrap_or(ArrivalOrder::AsItCame);
                    let (ms, account) = (dice.between(21_000, 45_000), dice.below(self.accounts));
                    self.add(at, ActKind::StopBehindKeys { ms, order });
                    self.pair(dice, account, at + 10);
                }
            }
            Theme::Ends => {
                let ms = dice.spread(200, 30_000);
                let what =
                    if dice.chance(50) { ActKind::Kill { daemon, ms } } else { ActKind::Terminate { daemon, ms } };
                self.add(at, what);
            }
            Theme::Drains => {
                self.add(at, ActKind::Drain { daemon });
                if dice.chance(70) {
                    let after = dice.spread(10, 40_000);
                    self.add(at + after, ActKind::Undrain { daemon });
                }
                if dice.chance(30) {
                    let after = dice.spread(10, 30_000);
                    self.add(at + after, ActKind::Drain { daemon });
                }
                if dice.chance(40) {
                    let how = if dice.chance(50) {
                        StatementFault::LateUnheard(dice.spread(500, 40_000))
                    } else {
                        StatementFault::Twice(dice.spread(500, 40_000))
                    };
                    self.add(at, ActKind::Statements { daemon, sort: StatementKind::Drain, count: 2, how });
                }
            }
            Theme::Database => {
                let ms = dice.spread(200, 40_000);
                self.add(at, ActKind::DatabaseAway { ms });
            }
            Theme::Sockets => match dice.below(4) {
                0 => {
                    let ms = dice.spread(2_000, 40_000);
                    self.add(at, ActKind::WhatsAppBusy { ms });
                }
                1 => {
                    let phone = dice.below(self.phones);
                    self.add(at, ActKind::RemoveDevices { phone });
                }
                _ => {
                    let account = dice.below(self.accounts);
                    self.add(at, ActKind::CutSocket { account });
                }
            },
            Theme::Clocks => {
                let ms = dice.one_of(&[-20 * DAY, -3_600_000, -60_000, 60_000, 3_600_000, 20 * DAY]).unwrap_or(0);
                self.add(at, ActKind::HostClock { daemon, ms });
                let pause = dice.spread(200, 3_000);
                self.add(at + 1, ActKind::Kill { daemon, ms: pause });
            }
            Theme::Refusals => {
                let account = dice.below(self.accounts);
                let kinds = [
                    Refused::Groups,
                    Refused::Event(EventKind::Qr),
                    Refused::Event(EventKind::Connected),
                    Refused::Event(EventKind::Disconnected),
                    Refused::Event(EventKind::CommandFailed),
                ];
                let what = dice.one_of(&kinds).unwrap_or(Refused::Groups);
                let ms = dice.chance(50).then(|| dice.spread(1_000, 60_000));
                self.add(at, ActKind::Refuse { account, what, ms });
            }
            Theme::Deafness => {
                let ms = dice.spread(1_000, 60_000);
                self.add(at, ActKind::Deaf { daemon, ms });
            }
        }
    }

    /// The acts without which `fails` does not.
    pub fn shrunk(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut size = self.acts.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            let mut any = false;
            while from < self.acts.len() {
                let mut less = self.clone();
                less.acts.drain(from..(from + size).min(self.acts.len()));
                if fails(&less) {
                    self = less;
                    any = true;
                } else {
                    from += size;
                }
            }
            if !any || size > 1 {
                if size == 1 {
                    break;
                }
                size /= 2;
            }
        }
        self
    }
}
