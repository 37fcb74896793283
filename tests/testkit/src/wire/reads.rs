//! Reads of the records of one keyring: which there are, and one kind of them cut off.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
};

use paird::credentials::RECORD_KINDS;
use uuid::Uuid;

/// The kind of a keyring's own row, which is read with its device.
pub const OPENING: &str = "keyring";
/// A piece of the statement that opens a keyring.
const OPENS: &str = "SET epoch = ";

/// See the module.
#[derive(Default)]
pub struct Reads {
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    keyring: Option<Uuid>,
    seen: BTreeSet<&'static str>,
    /// Reads of this kind end with their connection.
    cut: Option<&'static str>,
    cut_off: usize,
}

impl Reads {
    pub fn watch(&self, keyring: Uuid) {
        *self.noted() = Noted { keyring: Some(keyring), ..Noted::default() };
    }

    pub fn take_seen(&self) -> BTreeSet<&'static str> {
        std::mem::take(&mut self.noted().seen)
    }

    pub fn cut(&self, kind: Option<&'static str>) {
        let mut noted = self.noted();
        noted.cut = kind;
        if kind.is_some() {
            noted.cut_off = 0;
        }
    }

    pub fn cut_off(&self) -> usize {
        self.noted().cut_off
    }

    /// A read names a keyring and a kind; a write, and the opening of a keyring, its
    /// account and owner besides.
    pub fn cuts(&self, text: &str, bind: &[u8]) -> bool {
        let mut noted = self.noted();
        let Some(keyring) = noted.keyring else { return false };
        let parameters = parameters(bind);
        let ids = parameters.iter().filter(|parameter| parameter.len() == 16).count();
        let opens = text.contains(OPENS);
        if ids > 1 && !opens || !parameters.contains(&keyring.as_bytes().as_slice()) {
            return false;
        }
        let Some(kind) = RECORD_KINDS.iter().find(|kind| parameters.contains(&kind.as_bytes())) else { return false };
        let kind = if opens { OPENING } else { kind };
        noted.seen.insert(kind);
        let is_cut = noted.cut == Some(kind);
        noted.cut_off += usize::from(is_cut);
        is_cut
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap()
    }
}

/// Those of a `Bind`: two names, formats, and then the values with their lengths.
fn parameters(bind: &[u8]) -> Vec<&[u8]> {
    let names_end = bind.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(1).unwrap().0 + 1;
    let (formats, rest) = counted(&bind[names_end..]);
    let (count, mut rest) = counted(&rest[formats * 2..]);
    let mut parameters = Vec::new();
    for _ in 0..count {
        // Less than nothing is NULL.
        let length = usize::try_from(number(rest)).unwrap_or(0);
        let (value, after) = rest[4..].split_at(length);
        parameters.push(value);
        rest = after;
    }
    parameters
}

fn counted(bytes: &[u8]) -> (usize, &[u8]) {
    let (count, rest) = bytes.split_at(2);
    (usize::from(u16::from_be_bytes(count.try_into().unwrap())), rest)
}

fn number(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes[..4].try_into().unwrap())
}
