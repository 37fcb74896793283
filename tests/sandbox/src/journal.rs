//! A record of what the sandbox saw, for assertions in tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wacore_binary::Node;

use crate::faults::Version;

/// How many entries a list in the journal keeps.
const KEPT: usize = 1_000;

/// Everything since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Connections open now: before login, at a QR, or logged in.
    pub connections_now: u64,
    /// Of those, the ones that have been sent `<success>`.
    pub logged_in_now: u64,
    /// Messages kept for the devices of those, which have not said to have them.
    pub messages_kept_now: u64,
    /// How often armed faults happened, by their names.
    pub faults_hit: BTreeMap<String, u64>,
    /// TCP connections, the refused ones not counted.
    pub accepted: u64,
    /// When each was accepted, in milliseconds since 1970.
    pub accepted_at_ms: Vec<u64>,
    /// TCP connections dropped by a fault.
    pub refused: u64,
    /// The client version that each connection claimed, as `1.2.3`, and when (the first 1,000).
    pub versions: Vec<Oddity>,
    pub handshakes_xx: u64,
    pub handshakes_ik: u64,
    pub handshakes_xx_fallback: u64,
    pub refs_issued: u64,
    /// Pair codes that were asked for and given.
    pub codes_given: u64,
    /// Scans that got as far as a pair-success.
    pub offered: u64,
    /// Clients that answered a pair-success with an error.
    pub offers_rejected: u64,
    /// pair-device-signs that verified: links made.
    pub links_made: u64,
    /// Links ended by the device itself.
    pub unlinks: u64,
    /// Links ended by the phone.
    pub removals: u64,
    pub logins: u64,
    /// Logins answered with `<failure>`.
    pub logins_refused: u64,
    /// Connections that a second login of the same device threw out.
    pub replaced: u64,
    /// Their devices and times (the first 1,000).
    pub replacements: Vec<Oddity>,
    pub pings_answered: u64,
    pub iqs_answered: u64,
    /// Iqs left unanswered by a fault.
    pub iqs_stalled: u64,
    /// When each of them came, and its namespace (the first 1,000).
    pub stalled: Vec<Oddity>,
    /// When registered devices asked what, as `<namespace> <first child>`, whatever came of it;
    /// pings are not listed (the first 1,000).
    pub asked: Vec<Oddity>,
    /// Iqs answered otherwise than usual, by a fault.
    pub iqs_answered_oddly: u64,
    /// Messages that the server took from devices, simulated ones included.
    pub messages_taken: u64,
    /// Receipts that it passed on to the author of a message.
    pub receipts_taken: u64,
    /// Other stanzas of devices than iqs and messages: presences, receipts, acknowledgements (the
    /// first 1,000).
    pub said: Vec<Oddity>,
    /// Requests for files on the media host.
    pub media_asked: u64,
    /// Stanzas that the sandbox did not understand (the first 1,000).
    pub unknown: Vec<Oddity>,
    /// Protocol violations, e.g. a signature that does not verify (the first 1,000).
    pub violations: Vec<Oddity>,
}

/// Something that was not to be expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oddity {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The connection's device, by its jid, or `unregistered`.
    pub from: String,
    pub what: String,
}

impl Report {
    pub(crate) fn note_unknown(&mut self, at_ms: u64, from: &str, stanza: &Node) {
        let what = wacore::xml::DisplayableNode(stanza).to_string();
        note(&mut self.unknown, at_ms, from, what);
    }

    pub(crate) fn note_stalled(&mut self, at_ms: u64, from: &str, xmlns: String) {
        self.iqs_stalled += 1;
        note(&mut self.stalled, at_ms, from, xmlns);
    }

    pub(crate) fn note_asked(&mut self, at_ms: u64, from: &str, xmlns: &str, iq: &Node) {
        if xmlns != "w:p" {
            let child = iq.children().and_then(<[Node]>::first).map_or("", |child| &*child.tag);
            let query = iq.get_optional_child("usync").and_then(|usync| usync.get_optional_child("query"));
            let of_people = query.and_then(Node::children).unwrap_or_default();
            let what: Vec<&str> = [xmlns, child].into_iter().chain(of_people.iter().map(|one| &*one.tag)).collect();
            note(&mut self.asked, at_ms, from, what.join(" "));
        }
    }

    pub(crate) fn note_version(&mut self, at_ms: u64, from: &str, (major, minor, revision): Version) {
        note(&mut self.versions, at_ms, from, format!("{major}.{minor}.{revision}"));
    }

    pub(crate) fn note_said(&mut self, at_ms: u64, from: &str, stanza: &Node) {
        if self.said.len() < KEPT {
            let what = wacore::xml::DisplayableNode(stanza).to_string();
            note(&mut self.said, at_ms, from, what);
        }
    }

    /// Counts an answered iq, and ignores all other stanzas.
    pub(crate) fn note_answered(&mut self, iq: &Node) {
        if iq.tag != "iq" {
            return;
        }
        self.iqs_answered += 1;
        if iq.attrs.get("xmlns").is_some_and(|xmlns| *xmlns == *"w:p") {
            self.pings_answered += 1;
        }
    }

    pub(crate) fn note_replaced(&mut self, at_ms: u64, device: &str) {
        self.replaced += 1;
        note(&mut self.replacements, at_ms, device, "logged in a second time".to_owned());
    }

    pub(crate) fn note_violation(&mut self, at_ms: u64, from: &str, what: String) {
        note(&mut self.violations, at_ms, from, what);
    }
}

fn note(list: &mut Vec<Oddity>, at_ms: u64, from: &str, what: String) {
    if list.len() < KEPT {
        list.push(Oddity { at_ms, from: from.to_owned(), what });
    }
}
