//! Stanzas of unknown kinds: counted, named in the log once, and acknowledged if the library
//! does not. Otherwise WhatsApp would send them again at each login.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use wacore_binary::{JidExt as _, NodeRef, OwnedNodeRef};
use whatsapp_rust::Client;

/// The way in which a stanza is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OddKind {
    /// The library has no handler for its tag. It refuses the stanza, which acknowledges it.
    Unknown,
    /// A notification of a type that the library does not know, which it acknowledges.
    Notification,
    /// A message without anything that this device could decrypt, or ask for.
    EmptyMessage,
}

impl OddKind {
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Notification, Self::EmptyMessage];

    /// For a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Notification => "notification",
            Self::EmptyMessage => "empty_message",
        }
    }
}

/// Called for each odd stanza, to count it.
pub type OddListener = Arc<dyn Fn(OddKind) + Send + Sync>;

/// The library's handlers (`create_stanza_router`), and what it looks at
/// before it asks them.
const UNDERSTOOD: [&str; 14] = [
    "ack",
    "call",
    "chatstate",
    "failure",
    "ib",
    "iq",
    "message",
    "notification",
    "presence",
    "receipt",
    "status",
    "stream:error",
    "success",
    "xmlstreamend",
];

/// Types of notifications that the library's handler knows (`handle_notification_impl`).
const NOTIFICATIONS: [&str; 18] = [
    "account_sync",
    "business",
    "companion_reg_refresh",
    "contacts",
    "crsc_continuation",
    "devices",
    "disappearing_mode",
    "encrypt",
    "link_code_companion_reg",
    "mediaretry",
    "mex",
    "newsletter",
    "passkey_prologue_request",
    "picture",
    "privacy_token",
    "server_sync",
    "status",
    "w:gp2",
];

/// Limit of the names that are remembered as logged; further names are not logged.
const MOST_NAMES: usize = 100;

/// The odd stanzas that a process has seen.
pub(in crate::whatsapp) struct OddStanzas {
    listener: OddListener,
    named: Mutex<BTreeSet<String>>,
}

impl OddStanzas {
    pub(in crate::whatsapp) fn new(listener: OddListener) -> Self {
        Self { listener, named: Mutex::default() }
    }

    /// A stanza came in. Says whether it is for us to acknowledge it.
    pub(super) fn look_at(&self, stanza: &OwnedNodeRef, client: &Client) -> bool {
        let node = stanza.get();
        match node.tag.as_ref() {
            "message" if is_empty_message(node, client) => {
                self.note(OddKind::EmptyMessage, "message");
                true
            }
            "notification" => {
                let kind = node.get_attr("type").map(|kind| kind.as_str().into_owned()).unwrap_or_default();
                if !NOTIFICATIONS.contains(&kind.as_str()) {
                    self.note(OddKind::Notification, &kind);
                }
                false
            }
            tag if UNDERSTOOD.contains(&tag) => false,
            tag => {
                self.note(OddKind::Unknown, tag);
                false
            }
        }
    }

    fn note(&self, kind: OddKind, tag: &str) {
        (self.listener)(kind);
        let printable = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
        let name: String = tag.chars().filter(printable).take(40).collect();
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < MOST_NAMES && named.insert(format!("{} {name}", kind.name())) {
            let kind = kind.name();
            tracing::warn!(%name, kind, "WhatsApp sent a stanza of an unknown kind; it is acknowledged, and further ones are only counted");
        }
    }
}

/// As the library looks for something to decrypt or to ask the phone for (`message_enc_nodes_for_device`); where it finds nothing it says nothing to WhatsApp.
fn is_empty_message(message: &NodeRef<'_>, client: &Client) -> bool {
    let from = message.get_attr("from").and_then(|from| from.to_jid());
    if from.is_none_or(|from| from.is_newsletter() || from.is_status_broadcast()) {
        return false;
    }
    if message.get_optional_child("enc").is_some() || message.get_optional_child("unavailable").is_some() {
        return false;
    }
    let Some(participants) = message.get_optional_child("participants") else { return true };
    let own = client.pn();
    !participants.get_children_by_tag("to").any(|to| {
        let is_own = to.get_attr("jid").and_then(|jid| jid.to_jid()).is_some_and(|jid| own.as_ref() == Some(&jid));
        is_own && to.get_optional_child("enc").is_some()
    })
}
