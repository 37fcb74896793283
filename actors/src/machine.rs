//! The interface between a machine and its shell, and the one function that steps it.

use crate::domain::Instant;

/// A pure machine: time is an argument, and what it wants done is a value.
pub trait Machine {
    type Input;
    type Effect;

    /// One input → all its effects, to be carried out in order before the next input. What
    /// is late or of another connection changes nothing.
    fn step(&mut self, input: Self::Input, now: Instant) -> Vec<Self::Effect>;

    /// When the machine's next timeout is due; read after each step.
    fn deadline(&self) -> Option<Instant>;

    /// Of the state that it is in, for logs and the diagram.
    fn state_name(&self) -> &'static str;
}

/// A step under way: when it is, and what it orders so far.
#[derive(Clone, Debug)]
pub struct Step<E> {
    pub now: Instant,
    pub effects: Vec<E>,
}

impl<E> Step<E> {
    pub fn at(now: Instant) -> Self {
        Self { now, effects: Vec::new() }
    }

    pub fn order(&mut self, effect: E) {
        self.effects.push(effect);
    }
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped<E> {
    pub effects: Vec<E>,
    /// The former state and the new one, if they differ: to be logged once.
    pub moved: Option<(&'static str, &'static str)>,
}

/// Steps a machine. The shell holds the lock, if there is one.
pub fn step<M: Machine>(machine: &mut M, input: M::Input, now: Instant) -> Stepped<M::Effect> {
    let from = machine.state_name();
    let effects = machine.step(input, now);
    let to = machine.state_name();
    Stepped { effects, moved: (from != to).then_some((from, to)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes off at its deadline.
    #[derive(Default)]
    struct Fuse {
        is_off: bool,
    }

    impl Machine for Fuse {
        type Input = ();
        type Effect = u8;

        fn step(&mut self, (): (), now: Instant) -> Vec<u8> {
            self.is_off |= now >= Instant(5);
            vec![u8::from(self.is_off)]
        }

        fn deadline(&self) -> Option<Instant> {
            (!self.is_off).then_some(Instant(5))
        }

        fn state_name(&self) -> &'static str {
            if self.is_off { "Off" } else { "Lit" }
        }
    }

    #[test]
    fn a_step_names_its_transition_only_if_there_was_one() {
        let mut fuse = Fuse::default();
        assert_eq!(step(&mut fuse, (), Instant(4)), Stepped { effects: vec![0], moved: None });
        assert_eq!(step(&mut fuse, (), Instant(5)), Stepped { effects: vec![1], moved: Some(("Lit", "Off")) });
        assert_eq!(step(&mut fuse, (), Instant(6)), Stepped { effects: vec![1], moved: None });
        assert_eq!(fuse.deadline(), None);
    }
}
