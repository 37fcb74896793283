//! The messages of a schedule, and what goes wrong around them. From dice of their own, so that the
//! rest of a schedule is what it is without.

use super::{
    dice::Dice,
    schedule::{ActKind, ArrivalOrder, AskedCommand, LENGTH, Schedule, StatementFault, StatementKind},
};

/// In percent, the schedules with messages.
const WITH_MESSAGES: u64 = 25;
const CHATS: usize = 5;

/// A message that a web app sends. Times are in milliseconds from when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedMessage {
    pub account: usize,
    pub chat: usize,
    pub text: u32,
    pub key: Option<u32>,
    pub later: Option<i64>,
    pub expires: Option<i64>,
    /// The web app does not hear the answer, and sends it again so much later.
    pub again: Option<i64>,
}

impl Schedule {
    pub(super) fn add_messages(&mut self) {
        let mut dice = Dice::new(self.seed ^ 0x4D53_4753);
        if !dice.chance(WITH_MESSAGES) {
            return;
        }
        let mut text = 0;
        for _ in 0..1 + dice.below(4) {
            let (account, at) = (dice.below(self.accounts), dice.between(4_000, LENGTH));
            self.add_burst(&mut dice, account, at, &mut text);
            if dice.chance(70) {
                let after = dice.spread(5, 20_000);
                self.disturb_messages(&mut dice, account, at + after);
            }
        }
    }

    /// A web app writes to some chats.
    fn add_burst(&mut self, dice: &mut Dice, account: usize, at: i64, text: &mut u32) {
        let chats = 1 + dice.below(CHATS);
        let mut at = at;
        for _ in 0..1 + dice.below(6) {
            *text += 1;
            at += dice.spread(1, 3_000);
            let key = dice.chance(50).then_some(*text);
            let asked = AskedMessage {
                account,
                chat: dice.below(chats),
                text: *text,
                key,
                later: dice.chance(10).then(|| dice.spread(500, 40_000)),
                expires: dice.chance(15).then(|| dice.spread(41_000, 120_000)),
                again: key.filter(|_| dice.chance(30)).map(|_| dice.spread(1, 20_000)),
            };
            self.add(at, ActKind::Send(asked));
            if dice.chance(20) {
                let after = dice.spread(1, 30_000);
                self.add(at + after, ActKind::CancelMessage { account, nth: dice.below(3) });
            }
        }
    }

    fn disturb_messages(&mut self, dice: &mut Dice, account: usize, at: i64) {
        let daemon = dice.below(self.daemons);
        match dice.below(10) {
            0 => self.add(at, ActKind::CutSocket { account }),
            1 => {
                let ms = dice.spread(200, 10_000);
                self.add(at, ActKind::Kill { daemon, ms });
            }
            2 => {
                let (ms, host) = (dice.spread(2_000, 60_000), dice.chance(50));
                self.add(at, ActKind::Stop { daemon, ms, host, order: ArrivalOrder::AsItCame });
            }
            3 => {
                let ms = dice.spread(200, 20_000);
                self.add(at, ActKind::DatabaseAway { ms });
            }
            4 => {
                let kind = if dice.chance(50) { AskedCommand::Unpair } else { AskedCommand::UnpairAndLogOut };
                self.add(at, ActKind::Command { account, kind });
                let after = dice.spread(100, 30_000);
                self.pair(dice, account, at + after);
            }
            5 => {
                let ms = dice.spread(1_000, 10_000);
                self.add(at, ActKind::WhatsAppBusy { ms });
            }
            _ => {
                let sorts = [StatementKind::TakeMessages, StatementKind::Outcomes, StatementKind::Receipts];
                let sort = dice.one_of(&sorts).unwrap_or(StatementKind::Outcomes);
                let how = match dice.below(5) {
                    0 => StatementFault::Late(dice.spread(500, 60_000)),
                    1 => StatementFault::LateUnheard(dice.spread(100, 30_000)),
                    2 => StatementFault::Unanswered,
                    3 => StatementFault::Failed,
                    _ => StatementFault::Twice(dice.spread(50, 30_000)),
                };
                let count = 1 + u32::try_from(dice.below(3)).unwrap_or(0);
                self.add(at, ActKind::Statements { daemon, sort, count, how });
            }
        }
    }
}
