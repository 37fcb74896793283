/// Gives an enum of words its list, its text and the way back from the text. The text of each
/// variant is strum's: its name in snake case, or what its `serialize` says.
macro_rules! word {
    ($name:ident) => {
        impl $name {
            /// Every word, in the order in which documents list them.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The word as the outside reads it.
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// The variant that a word stands for; `None` for an unknown one.
            pub fn parse(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str((*self).as_str())
            }
        }
    };
}

pub(super) use word;
