use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::domain::word::word;

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum CommandState {
    Queued,
    Running,
    Done,
    Failed,
}

word!(CommandState);

impl CommandState {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Queued => "no daemon has begun it",
            Self::Running => "a daemon carries it out",
            Self::Done => "it was carried out",
            Self::Failed => "it was not carried out; `result` says why",
        }
    }
}
