use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The word on the row.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The variant a row's word stands for; `None` for an unknown word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What an account is, as the operator sees it.
    Status {
        /// Holds no live link; keys may be parked.
        Unpaired = "unpaired",
        /// A pair attempt runs.
        Pending = "pending",
        /// Logged in.
        Connected = "connected",
        /// Linked, the socket is down, a retry is scheduled.
        Reconnecting = "reconnecting",
        /// Needs a person or a date; the reason says which.
        Held = "held",
        /// Deleted by the operator; WhatsApp has not confirmed yet that the device is gone.
        Deleting = "deleting",
    }
);

words!(
    /// What the operator wants. A restart restores from this.
    Desired {
        Unpaired = "unpaired",
        Paired = "paired",
        Deleted = "deleted",
    }
);
