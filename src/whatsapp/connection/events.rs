//! Translates the library's events into the machine's.

use std::sync::Arc;

use paird_actors::{
    connection::{Input, LibraryEvent, Scan},
    domain::{CloseReason, PasskeyStage, Phone, Secret},
};
use serde_json::{Value, json};
use wacore::types::events::{self, Event, EventInterest, EventKind, PairError, PairingCodeError};
use wacore_binary::OwnedNodeRef;
use whatsapp_rust::pair_code::PairCodeRejection;

use super::{
    super::{passkey, version::Versions},
    OddStanzas, PresenceKeeper, Shell, SkippedSyncs, close_reason,
};

const INTEREST: [EventKind; 20] = [
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
    EventKind::SelfPushNameUpdated,
    EventKind::AppStateSyncFailed,
];

/// The library's event handler for one connection. The library calls it inside its tasks,
/// before it goes on with what it reports, so that the machine's answer comes first.
pub(super) struct EventHandler {
    shell: Arc<Shell>,
    presence: Arc<PresenceKeeper>,
    odd: Arc<OddStanzas>,
    versions: Arc<Versions>,
    skipped: Arc<SkippedSyncs>,
}

impl EventHandler {
    pub(super) fn new(
        shell: Arc<Shell>,
        presence: Arc<PresenceKeeper>,
        odd: Arc<OddStanzas>,
        versions: Arc<Versions>,
    ) -> Self {
        Self { shell, presence, odd, versions, skipped: Arc::default() }
    }

    pub(super) fn interest() -> EventInterest {
        EventInterest::of(&INTEREST)
    }

    fn stanza(&self, node: &OwnedNodeRef) -> LibraryEvent {
        match node.tag() {
            "iq" if node.get_optional_child("pair-success").is_some() => LibraryEvent::PairSuccess(scan(node)),
            "success" => self.success(),
            "notification" if is_typed_code(node) => LibraryEvent::CodeTyped,
            // Any change, also one that the library cannot read.
            "notification" if node.get_attr("type").is_some_and(|kind| kind.as_str() == "w:gp2") => {
                LibraryEvent::GroupsChanged
            }
            "message" | "receipt" | "notification" | "call" | "status" => LibraryEvent::Delivered,
            "ib" if node.get_optional_child("offline").is_some() => LibraryEvent::NothingWaits,
            "ib" if node.get_optional_child("offline_preview").is_some() => LibraryEvent::Delivered,
            _ => LibraryEvent::Stanza,
        }
    }

    /// Counts stanzas of unknown kinds, and acknowledges those that the library does not.
    fn look_for_oddities(&self, stanza: &Arc<OwnedNodeRef>) {
        let Some(client) = self.shell.client() else { return };
        if self.odd.look_at(stanza, &client) {
            let stanza = Arc::clone(stanza);
            drop(self.shell.runtime.start(async move {
                if let Err(failure) = client.acknowledge_stanza(stanza.get()).await {
                    tracing::debug!(%failure, "failed to acknowledge a message without content");
                }
            }));
        }
    }

    fn success(&self) -> LibraryEvent {
        self.versions.accepted(self.shell.claimed());
        let jid = self.shell.client().and_then(|client| client.pn());
        let phone = jid.as_ref().and_then(|jid| Phone::from_digits(&jid.user).ok());
        LibraryEvent::Success { phone, device_jid: jid.map(|jid| jid.to_string()) }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's enum is open; `INTEREST` is what it is asked for"
    )]
    fn translate(&self, event: &Event) -> Option<LibraryEvent> {
        Some(match event {
            Event::RawNode(node) => self.stanza(node),
            Event::PairingQrCode(qr) => LibraryEvent::Qr { payload: Secret::new(&*qr.code), lasts: qr.timeout },
            Event::PairingQrCodesExhausted(refs) => LibraryEvent::QrsExhausted { closes: refs.disconnected },
            Event::PairingCode(code) => LibraryEvent::Code { code: Secret::new(&*code.code), lasts: code.timeout },
            Event::PairingCodeRefresh(_) => LibraryEvent::CodeStale,
            Event::PairingCodeError(error) => LibraryEvent::CodeRefused(code_refused(error)),
            Event::PairPasskeyRequest(asked) => {
                let request = serde_json::from_str(&asked.request_options_json)
                    .unwrap_or_else(|_| Value::String(asked.request_options_json.clone()));
                passkey_event(PasskeyStage::Challenge, request)
            }
            Event::PairPasskeyConfirmation(shown) => {
                passkey_event(PasskeyStage::Confirm, json!({ "code": shown.code }))
            }
            Event::PairPasskeyError(error) => LibraryEvent::ScanFailed(format!("passkey: {}", error.error)),
            Event::PairSuccess(_) => LibraryEvent::PairingFinished,
            Event::PairError(error) => LibraryEvent::ScanFailed(scan_failed(error)),
            Event::QrScannedWithoutMultidevice(_) => LibraryEvent::ScanFailed(
                "the phone's WhatsApp cannot link devices; it must be updated first".to_owned(),
            ),
            Event::Disconnected(how) => LibraryEvent::Disconnected(how.reason.to_string()),
            Event::LoggedOut(event) => LibraryEvent::CloseReported(close_reason::logged_out(event)),
            Event::StreamReplaced(_) => {
                LibraryEvent::CloseReported(CloseReason::Replaced("conflict replaced".to_owned()))
            }
            Event::TemporaryBan(event) => LibraryEvent::CloseReported(close_reason::temporary_ban(event)),
            Event::ClientOutdated(_) => {
                LibraryEvent::CloseReported(CloseReason::ClientOutdated("failure 405".to_owned()))
            }
            Event::ConnectFailure(event) => LibraryEvent::CloseReported(close_reason::connect_failure(event)),
            _ => return None,
        })
    }
}

impl events::EventHandler for EventHandler {
    fn handle_event(&self, event: Arc<Event>) {
        if let Event::SelfPushNameUpdated(update) = &*event {
            return self.presence.renamed(&self.shell, &update.new_name);
        }
        if let Event::AppStateSyncFailed(failed) = &*event {
            return self.skipped.skipped(&self.shell, &failed.skipped);
        }
        if let Event::RawNode(stanza) = &*event {
            self.look_for_oddities(stanza);
        }
        if let Some(event) = self.translate(&event) {
            if matches!(&event, LibraryEvent::CloseReported(reason) if reason.proves_client_accepted()) {
                self.versions.accepted(self.shell.claimed());
            }
            self.shell.feed(Input::Event(event));
        }
    }
}

/// Whom a phone has linked; `None` if the stanza lacks anything of it.
fn scan(node: &OwnedNodeRef) -> Option<Scan> {
    let success = node.get_optional_child("pair-success")?;
    let jid = success.get_optional_child("device")?.get_attr("jid")?.to_jid()?;
    if !jid.server.carries_phone_number() {
        return None;
    }
    let phone = Phone::from_digits(&jid.user).ok()?;
    let stanza_id = node.get_attr("id")?.as_str().into_owned();
    Some(Scan { phone, device_jid: jid.to_string(), stanza_id })
}

/// The challenge may be shown: it is useless without the passkey's private key. So may the
/// code, which is only compared.
fn passkey_event(stage: PasskeyStage, request: Value) -> LibraryEvent {
    let lasts = passkey::time_for(&request);
    LibraryEvent::Passkey { stage, request, lasts }
}

/// Whether it says that a phone typed a code.
fn is_typed_code(notification: &OwnedNodeRef) -> bool {
    let stage = notification.get_optional_child("link_code_companion_reg").and_then(|reg| reg.get_attr("stage"));
    stage.is_some_and(|stage| stage.as_str() == "primary_hello")
}

/// `wacore`'s module `pair` names three ways for the cryptography to fail.
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
            "WhatsApp issues no code for this number ({}): too many were requested, or the number has no WhatsApp",
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
