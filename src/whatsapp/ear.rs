//! What the library says of a connection, put into the words of the port.

mod codes;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use paird_actors::{
    clock,
    domain::{CloseReason, PasskeyStage, Phone, Secret},
    ports::{CodeOver, SessionEvent},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wacore::types::events::{Event, EventHandler, EventInterest, EventKind, PairError};
use wacore_binary::{Node, OwnedNodeRef};
use whatsapp_rust::{Client, NodeFilter, RawNodeLease};

use super::{admission::Gate, close, close::Signs, passkey, runtime::SessionRuntime, voice::Voice};
use codes::{Codes, code_refused, is_typed_code};

/// How long the library may take to answer a pair-success (it verifies two signatures).
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

const HEARD: [EventKind; 18] = [
    EventKind::RawNode,
    EventKind::PairingQrCode,
    EventKind::PairingQrCodesExhausted,
    EventKind::PairingCode,
    EventKind::PairingCodeRefresh,
    EventKind::PairingCodeError,
    EventKind::PairPasskeyRequest,
    EventKind::PairPasskeyConfirmation,
    EventKind::PairPasskeyError,
    EventKind::PairSuccess,
    EventKind::PairError,
    EventKind::QrScannedWithoutMultidevice,
    EventKind::Disconnected,
    EventKind::LoggedOut,
    EventKind::StreamReplaced,
    EventKind::TemporaryBan,
    EventKind::ClientOutdated,
    EventKind::ConnectFailure,
];

/// The library's event handler for one session. It is called inside the
/// library's tasks, so it only passes on.
pub(super) struct Ear {
    /// For tasks that wait on its behalf.
    me: Weak<Self>,
    /// Weak: the library's client owns its handlers.
    client: Weak<Client>,
    voice: Arc<Voice>,
    gate: Arc<Gate>,
    signs: Arc<Signs>,
    runtime: SessionRuntime,
    code_for: Option<Phone>,
    codes: Mutex<Codes>,
    shown_qr: Mutex<Option<Secret>>,
    /// Stanzas are forwarded raw until `<success>`, then no longer: an open
    /// account receives every message of its owner.
    raw: Mutex<Option<RawNodeLease>>,
    paired: CancellationToken,
    open: AtomicBool,
}

impl Ear {
    pub(super) fn new(
        client: &Arc<Client>,
        voice: Arc<Voice>,
        gate: Arc<Gate>,
        signs: Arc<Signs>,
        runtime: SessionRuntime,
        code_for: Option<Phone>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            client: Arc::downgrade(client),
            voice,
            gate,
            signs,
            runtime,
            code_for,
            codes: Mutex::default(),
            shown_qr: Mutex::new(None),
            raw: Mutex::new(None),
            paired: CancellationToken::new(),
            open: AtomicBool::new(false),
        })
    }

    pub(super) fn interest() -> EventInterest {
        EventInterest::of(&HEARD)
    }

    /// Before each run: hear every stanza, until `<success>`.
    pub(super) fn prick_up(&self, client: &Arc<Client>) {
        *lock(&self.raw) = Some(client.acquire_raw_node_forwarding());
    }

    /// `<success>` came.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until the library is through with the pairing: what it still does
    /// after its answer left would disturb a login on the same client.
    pub(super) async fn paired(&self) {
        self.paired.cancelled().await;
    }

    fn stanza(&self, node: &OwnedNodeRef) {
        self.signs.heard();
        match node.tag() {
            "iq" if node.get_optional_child("pair-success").is_some() => self.scan(node),
            "success" => self.opened(),
            "notification" if is_typed_code(node) => self.typed(),
            _ => {}
        }
    }

    fn opened(&self) {
        if self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        let jid = self.client.upgrade().and_then(|client| client.pn());
        let phone = jid.as_ref().and_then(|jid| Phone::parse(&jid.user).ok());
        self.voice.say(SessionEvent::Open { phone, device_jid: jid.map(|jid| jid.to_string()) });
        lock(&self.raw).take();
    }

    /// The phone scanned: hold what goes out, and ask.
    fn scan(&self, node: &OwnedNodeRef) {
        let jid = node
            .get_optional_child("pair-success")
            .and_then(|success| success.get_optional_child("device"))
            .and_then(|device| device.get_attr("jid"))
            .and_then(|jid| jid.to_jid())
            .filter(|jid| jid.server.carries_phone_number());
        let phone = jid.as_ref().and_then(|jid| Phone::parse(&jid.user).ok());
        let id = node.get_attr("id").map(|id| id.as_str().into_owned());
        let (Some(jid), Some(phone), Some(id), Some(client)) = (jid, phone, id, self.client.upgrade()) else {
            // A link to nobody knows whom is not confirmed.
            self.gate.refuse();
            return self.reject("whatsapp named no phone number for the scan");
        };
        let device_jid = jid.to_string();
        if !self.gate.arm(&device_jid) {
            if self.gate.is_shut() {
                self.reject("two phones scanned at once; neither was linked");
            }
            return;
        }
        // The answer in plain text: it may be the confirmation, or the error of a scan that failed.
        let answer = client.wait_for_sent_node(NodeFilter::tag("iq").attr("id", id));
        let (voice, gate) = (self.voice.clone(), self.gate.clone());
        self.runtime.start(async move {
            match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
                Ok(Ok(answer)) if confirms(&answer) => {
                    voice.say(SessionEvent::Scanned { phone, device_jid });
                    gate.hold().await;
                }
                Ok(Ok(_)) => gate.release(),
                // No answer, or the connection is gone: nothing must slip out later.
                Ok(Err(_)) | Err(_) => gate.refuse_held(),
            }
        });
    }

    fn qr(&self, code: &str, lasts: Duration) {
        let payload = Secret::new(code);
        let new = lock(&self.shown_qr).replace(payload.clone()).as_ref() != Some(&payload);
        if new {
            self.voice.say(SessionEvent::Qr { payload, expires_at: clock::now().after(lasts) });
        }
    }

    /// Every ref was shown. The library closes the socket, unless a code is out.
    fn exhausted(&self, closed: bool) {
        if closed {
            return self.signs.say(CloseReason::QrExhausted);
        }
        lock(&self.codes).last = true;
        self.voice.say(SessionEvent::QrOver);
    }

    /// What is asked may be told: a challenge is good for nothing without the passkey's
    /// own key, and the code is compared, it opens nothing.
    fn passkey(&self, stage: PasskeyStage, request: Value) {
        let expires_at = clock::now().after(passkey::time_for(&request));
        self.voice.say(SessionEvent::Passkey { stage, request, expires_at });
    }

    fn reject(&self, reason: impl Into<String>) {
        self.voice.say(SessionEvent::ScanRejected { reason: reason.into() });
    }
}

impl EventHandler for Ear {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open; `HEARD` is what it is asked for")]
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::RawNode(node) => self.stanza(node),
            Event::PairingQrCode(qr) => self.qr(&qr.code, qr.timeout),
            Event::PairingQrCodesExhausted(refs) => self.exhausted(refs.disconnected),
            Event::PairingCode(code) => self.code(&code.code, code.timeout),
            Event::PairingCodeRefresh(_) => self.code_over(CodeOver::Spent),
            Event::PairingCodeError(error) => {
                self.voice.say(SessionEvent::CodeOver { reason: CodeOver::Refused(code_refused(error)) });
            }
            Event::PairPasskeyRequest(asked) => {
                let request = serde_json::from_str(&asked.request_options_json)
                    .unwrap_or_else(|_| Value::String(asked.request_options_json.clone()));
                self.passkey(PasskeyStage::Challenge, request);
            }
            Event::PairPasskeyConfirmation(shown) => {
                self.passkey(PasskeyStage::Confirm, json!({ "code": shown.code }));
            }
            Event::PairPasskeyError(error) => self.reject(format!("passkey: {}", error.error)),
            Event::PairSuccess(_) => self.paired.cancel(),
            Event::PairError(error) => self.reject(scan_failed(error)),
            Event::QrScannedWithoutMultidevice(_) => {
                self.reject("the phone's WhatsApp cannot link devices; it must be updated first");
            }
            Event::Disconnected(how) => self.signs.lost(how.reason.to_string()),
            Event::LoggedOut(event) => self.signs.say(close::logged_out(event)),
            Event::StreamReplaced(_) => self.signs.say(CloseReason::Replaced("conflict replaced".to_owned())),
            Event::TemporaryBan(event) => self.signs.say(close::temporary_ban(event)),
            Event::ClientOutdated(_) => self.signs.say(CloseReason::ClientOutdated("failure 405".to_owned())),
            Event::ConnectFailure(event) => self.signs.say(close::connect_failure(event)),
            _ => {}
        }
    }
}

/// Whether an answer to a pair-success is the one that makes the link.
fn confirms(answer: &Node) -> bool {
    answer.get_optional_child("pair-device-sign").is_some()
}

/// `wacore`'s pair.rs names three ways for the cryptography to fail.
fn scan_failed(error: &PairError) -> String {
    if error.error.contains("signature-mismatch") {
        "the phone's signature does not verify (401 signature-mismatch); hosted business accounts (coexistence with the \
         business platform) cannot be linked by this version"
            .to_owned()
    } else if error.error.contains("hmac-mismatch") {
        "the scan does not belong to this QR code (401 hmac-mismatch); scan the one that is shown now".to_owned()
    } else {
        format!("the scan could not be read: {}", error.error)
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
