//! Whether numbers are on WhatsApp: what is known already, and what may be asked now. Asking for many
//! numbers is what WhatsApp bans accounts for, so an account has a budget, and an answer is kept.

use std::time::Duration;

use super::{Instant, Phone};

/// The budget of an account, and how long answers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactCheckPolicy {
    /// Numbers that an account may ask for within [`Self::window`].
    pub budget: usize,
    pub window: Duration,
    /// How long a number that was on WhatsApp is taken to be there.
    pub found_for: Duration,
    /// The same of one that was not: somebody may have joined.
    pub missing_for: Duration,
}

impl ContactCheckPolicy {
    /// That of a daemon. `prune_contact_checks` of the schema keeps rows as long.
    pub const DEFAULT: Self = Self {
        budget: 100,
        window: Duration::from_hours(24),
        found_for: Duration::from_hours(7 * 24),
        missing_for: Duration::from_hours(24),
    };
}

/// Numbers that one command may ask for.
pub const CONTACTS_PER_CHECK: usize = 50;

/// The answer for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedContact {
    pub phone: Phone,
    /// The jid to write to; the LID where it is known. `None`: the number is not on WhatsApp.
    pub chat: Option<String>,
    pub checked_at: Instant,
}

/// What an account has asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactChecks {
    /// The last answers for the numbers that are wanted.
    pub answers: Vec<CheckedContact>,
    /// When numbers were asked for within the window, the latest first: as many as the budget, at most.
    pub asked: Vec<Instant>,
}

/// What is to be done about the numbers that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactCheckPlan {
    /// Answers that still count.
    pub known: Vec<CheckedContact>,
    pub to_ask: Vec<Phone>,
}

impl ContactCheckPolicy {
    /// Plans a check. Spellings of one number are one question.
    ///
    /// # Errors
    /// The budget does not suffice for the numbers that must be asked for; when it will.
    pub fn plan(&self, wanted: &[Phone], checks: &ContactChecks, now: Instant) -> Result<ContactCheckPlan, Instant> {
        let counts = |answer: &&CheckedContact| {
            let lifetime = if answer.chat.is_some() { self.found_for } else { self.missing_for };
            answer.checked_at.after(lifetime) > now
        };
        let mut plan = ContactCheckPlan { known: Vec::new(), to_ask: Vec::new() };
        for phone in wanted {
            let same = |other: &Phone| other.is_same_number(phone);
            if plan.known.iter().any(|answer| same(&answer.phone)) || plan.to_ask.iter().any(same) {
                continue;
            }
            match checks.answers.iter().filter(counts).find(|answer| same(&answer.phone)) {
                // As it was asked for now.
                Some(answer) => plan.known.push(CheckedContact { phone: phone.clone(), ..answer.clone() }),
                None => plan.to_ask.push(phone.clone()),
            }
        }
        let spent: Vec<Instant> = checks.asked.iter().copied().filter(|at| at.after(self.window) > now).collect();
        let too_many = (spent.len() + plan.to_ask.len()).saturating_sub(self.budget);
        if too_many == 0 || plan.to_ask.is_empty() {
            return Ok(plan);
        }
        // When so many of the oldest are out of the window.
        let mut oldest_first = spent;
        oldest_first.sort_unstable();
        let last = oldest_first.get(too_many - 1).or(oldest_first.last()).copied().unwrap_or(now);
        Err(last.after(self.window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_700_000_000_000);
    const POLICY: ContactCheckPolicy = ContactCheckPolicy { budget: 3, ..ContactCheckPolicy::DEFAULT };
    const HOUR: Duration = Duration::from_hours(1);

    fn phone(last: u32) -> Phone {
        Phone::from_digits(&format!("4366012345{last:02}")).unwrap()
    }

    fn ago(time: Duration) -> Instant {
        Instant(NOW.0 - i64::try_from(time.as_millis()).unwrap())
    }

    fn answer(last: u32, is_there: bool, age: Duration) -> CheckedContact {
        let chat = is_there.then(|| format!("{last}@lid"));
        CheckedContact { phone: phone(last), chat, checked_at: ago(age) }
    }

    fn asked(ages: &[Duration]) -> ContactChecks {
        ContactChecks { answers: Vec::new(), asked: ages.iter().copied().map(ago).collect() }
    }

    #[test]
    fn what_is_known_is_not_asked_again_while_it_counts() {
        for (is_there, lifetime) in [(true, POLICY.found_for), (false, POLICY.missing_for)] {
            for (age, is_known) in [(Duration::ZERO, true), (lifetime - HOUR, true), (lifetime, false)] {
                let checks = ContactChecks { answers: vec![answer(1, is_there, age)], asked: Vec::new() };
                let plan = POLICY.plan(&[phone(1), phone(2)], &checks, NOW).unwrap();
                assert_eq!((plan.known.len(), plan.to_ask.len()), if is_known { (1, 1) } else { (0, 2) }, "{age:?}");
            }
        }
        assert!(POLICY.found_for > POLICY.missing_for);
    }

    #[test]
    fn a_number_is_asked_for_once_however_it_is_written() {
        let [with, without] = ["5511987654321", "551187654321"].map(|digits| Phone::from_digits(digits).unwrap());
        let plan = POLICY.plan(&[with.clone(), without, with.clone()], &ContactChecks::default(), NOW).unwrap();
        assert_eq!(plan.to_ask, [with]);
    }

    #[test]
    fn the_budget_holds_and_says_when_there_is_room() {
        let spent = asked(&[HOUR, 2 * HOUR]);
        assert_eq!(POLICY.plan(&[phone(1)], &spent, NOW).unwrap().to_ask, [phone(1)]);
        // Two of them need the oldest to be out of the window, three both.
        for (wanted, first_after) in [(2, 22 * HOUR), (3, 23 * HOUR)] {
            let wanted: Vec<Phone> = (1..=wanted).map(phone).collect();
            let until = POLICY.plan(&wanted, &spent, NOW).unwrap_err();
            assert_eq!(until, NOW.after(first_after));
            assert!(POLICY.plan(&wanted, &spent, until).is_ok(), "there is room when it is said");
            assert!(POLICY.plan(&wanted, &spent, Instant(until.0 - 1)).is_err(), "and no earlier");
        }
    }

    #[test]
    fn what_is_known_costs_no_budget() {
        let checks = ContactChecks { answers: vec![answer(1, true, HOUR)], ..asked(&[HOUR, HOUR, HOUR]) };
        assert_eq!(POLICY.plan(&[phone(1)], &checks, NOW).unwrap().known.len(), 1);
        assert!(POLICY.plan(&[phone(1), phone(2)], &checks, NOW).is_err());
    }

    /// As sql/README.md says it.
    #[test]
    fn answers_count_for_a_week_or_a_day_and_a_hundred_are_asked() {
        let ContactCheckPolicy { budget, window, found_for, missing_for } = ContactCheckPolicy::DEFAULT;
        assert_eq!((budget, window), (100, 24 * HOUR));
        assert_eq!((found_for, missing_for), (7 * 24 * HOUR, 24 * HOUR));
    }

    #[test]
    fn one_command_fits_into_the_budget() {
        const { assert!(CONTACTS_PER_CHECK <= ContactCheckPolicy::DEFAULT.budget) };
    }
}
