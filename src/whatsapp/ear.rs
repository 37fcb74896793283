//! What the library says of a connection, put into the words of the port.

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
use wacore::types::events::{Event, EventHandler, EventInterest, EventKind, PairError, PairingCodeError};
use wacore_binary::{Node, OwnedNodeRef};
use whatsapp_rust::{
    Client, NodeFilter, RawNodeLease,
    pair_code::{PairCodeError, PairCodeOptions, PairCodeRejection, PairError as PairCodeFailure},
};

use super::{admission::Gate, close, close::Signs, passkey, runtime::SessionRuntime, voice::Voice};

/// How long the library may take to answer a pair-success (it verifies two signatures).
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// After a code's time the library needs a moment to see it.
const CODE_GRACE: Duration = Duration::from_secs(1);
/// WhatsApp throttles codes per number; a session asks for no more than these.
const CODES_PER_SESSION: u8 = 3;
/// The library takes no more tries at one code, and says nothing about those that follow.
const TRIES_PER_CODE: u8 = 3;

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
    scanned: Mutex<Option<(Phone, String)>>,
    /// Stanzas are forwarded raw until `<success>`, then no longer: an open
    /// account receives every message of its owner.
    raw: Mutex<Option<RawNodeLease>>,
    paired: CancellationToken,
    open: AtomicBool,
}

/// The codes that were asked for.
#[derive(Default)]
struct Codes {
    asked: u8,
    /// Times that the one on show was typed.
    typed: u8,
    /// Every QR of this socket was shown: it lives for its code alone.
    last: bool,
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
            scanned: Mutex::new(None),
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

    /// The number and device that the phone's scan named.
    pub(super) fn scanned(&self) -> Option<(Phone, String)> {
        lock(&self.scanned).clone()
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

    /// Asks for a code to type, once the socket is up. Does nothing for a QR attempt.
    pub(super) fn ask_for_code(&self, client: &Arc<Client>) {
        let Some(phone) = self.code_for.as_ref().map(|phone| phone.digits().to_owned()) else { return };
        let mut codes = lock(&self.codes);
        if codes.asked >= CODES_PER_SESSION {
            let enough =
                format!("{CODES_PER_SESSION} codes were shown, and this connection asks for no more; scan the QR");
            return self.voice.say(SessionEvent::CodeOver { reason: CodeOver::Refused(enough) });
        }
        codes.asked += 1;
        codes.typed = 0;
        let (nth, ear) = (codes.asked, self.me.clone());
        let client = Arc::downgrade(client);
        self.runtime.start(async move {
            let Some(client) = client.upgrade() else { return };
            if client.wait_for_socket(Duration::from_secs(60)).await.is_err() {
                return;
            }
            let options = PairCodeOptions { phone_number: phone, ..PairCodeOptions::default() };
            // Answer and failure both come as events, but for this one: a code before
            // it may still link. It is waited out, as long as nobody asks for another.
            while let Err(PairCodeFailure::PairCode(PairCodeError::CodeAlreadyOutstanding { remaining })) =
                client.pair_with_code(options.clone()).await
            {
                tokio::time::sleep(remaining + CODE_GRACE).await;
                if ear.upgrade().is_none_or(|ear| !ear.is_code(nth)) {
                    return;
                }
            }
        });
    }

    fn is_code(&self, nth: u8) -> bool {
        lock(&self.codes).asked == nth
    }

    /// A code is on show, for so long.
    fn code(&self, code: &str, lasts: Duration) {
        self.voice.say(SessionEvent::Code { code: Secret::new(code), expires_at: clock::now().after(lasts) });
        let (nth, ear) = (lock(&self.codes).asked, self.me.clone());
        self.runtime.start(async move {
            tokio::time::sleep(lasts + CODE_GRACE).await;
            if let Some(ear) = ear.upgrade().filter(|ear| ear.is_code(nth)) {
                ear.code_over(CodeOver::Expired);
            }
        });
    }

    /// Takes the code off, and asks for the next: on this socket, or where this one has
    /// no QR left on the next.
    fn code_over(&self, why: CodeOver) {
        if self.gate.is_held() || self.gate.is_linked() {
            return;
        }
        self.voice.say(SessionEvent::CodeOver { reason: why });
        if lock(&self.codes).last {
            return self.signs.say(CloseReason::QrExhausted);
        }
        if let Some(client) = self.client.upgrade() {
            self.ask_for_code(&client);
        }
    }

    /// A phone has typed a code for this number. It may have been the wrong one.
    fn typed(&self) {
        let typed = {
            let mut codes = lock(&self.codes);
            codes.typed = codes.typed.saturating_add(1);
            codes.typed
        };
        if typed != TRIES_PER_CODE + 1 {
            return;
        }
        let (client, ear) = (self.client.clone(), self.me.clone());
        self.runtime.start(async move {
            if let Some(client) = client.upgrade() {
                client.cancel_pair_code().await;
            }
            if let Some(ear) = ear.upgrade() {
                ear.code_over(CodeOver::Spent);
            }
        });
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
        *lock(&self.scanned) = Some((phone.clone(), device_jid.clone()));
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

/// Whether it tells that a phone typed a code.
fn is_typed_code(notification: &OwnedNodeRef) -> bool {
    let stage = notification.get_optional_child("link_code_companion_reg").and_then(|reg| reg.get_attr("stage"));
    stage.is_some_and(|stage| stage.as_str() == "primary_hello")
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

fn code_refused(error: &PairingCodeError) -> String {
    match &error.rejection {
        // WhatsApp answers 400 for its limit per number too.
        Some(rejection @ PairCodeRejection::BadRequest) => format!(
            "whatsapp gives no code for this number ({}): too many were asked for, or there is no WhatsApp on it",
            rejection.code()
        ),
        Some(rejection @ PairCodeRejection::RateOverlimit) => {
            format!("whatsapp gives no code for this number now ({}): too many were asked for", rejection.code())
        }
        Some(rejection @ PairCodeRejection::FeatureNotAvailable) => {
            format!("this number cannot be linked by a code ({})", rejection.code())
        }
        Some(
            rejection @ (PairCodeRejection::Forbidden
            | PairCodeRejection::InternalServerError
            | PairCodeRejection::Unknown(_)),
        ) => format!("whatsapp refused a code for this number ({})", rejection.code()),
        None => "whatsapp did not answer, or the number is not one it takes".to_owned(),
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
