use std::fmt;
use std::hash::{Hash, Hasher};

use secrecy::{ExposeSecret as _, SecretString};

/// Something that opens an account, or the daemon: a QR payload, a pair code, a passkey answer,
/// a token. It has no way to a log, since `Debug` hides it and there is no `Display`, and is
/// wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself, for the one place that must show or send it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_wiped<T: secrecy::zeroize::ZeroizeOnDrop>(_: &T) {}

    #[test]
    fn a_secret_is_wiped_hidden_and_compared_by_value() {
        let secret = Secret::new("hunter2");
        is_wiped(&secret.0);
        assert_eq!(format!("{secret:?}"), "[secret]");
        let known: HashSet<Secret> = [secret.clone()].into();
        assert!(known.contains(&Secret::new("hunter2".to_owned())) && !known.contains(&Secret::new("hunter3")));
    }
}
