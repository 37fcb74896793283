//! Codes to type: asked for, shown for their time, and followed by the next.

use std::{sync::Arc, time::Duration};

use paird_actors::{
    clock,
    domain::{CloseReason, Secret},
    ports::{CodeOver, SessionEvent},
};
use wacore::types::events::PairingCodeError;
use wacore_binary::OwnedNodeRef;
use whatsapp_rust::{
    Client,
    pair_code::{PairCodeError, PairCodeOptions, PairCodeRejection, PairError},
};

use super::{Ear, lock};

/// After a code's time the library needs a moment to see it.
const CODE_GRACE: Duration = Duration::from_secs(1);
/// WhatsApp throttles codes per number; a session asks for no more than these.
const CODES_PER_SESSION: u8 = 3;
/// The library takes no more tries at one code, and says nothing about those that follow.
const TRIES_PER_CODE: u8 = 3;

/// The codes that were asked for.
#[derive(Default)]
pub(super) struct Codes {
    asked: u8,
    /// Times that the one on show was typed.
    typed: u8,
    /// Every QR of this socket was shown: it lives for its code alone.
    pub(super) last: bool,
}

impl Ear {
    /// Asks for a code to type, once the socket is up. Does nothing for a QR attempt.
    pub(in crate::whatsapp) fn ask_for_code(&self, client: &Arc<Client>) {
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
            while let Err(PairError::PairCode(PairCodeError::CodeAlreadyOutstanding { remaining })) =
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
    pub(super) fn code(&self, code: &str, lasts: Duration) {
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
    pub(super) fn code_over(&self, why: CodeOver) {
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
    pub(super) fn typed(&self) {
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
}

/// Whether it tells that a phone typed a code.
pub(super) fn is_typed_code(notification: &OwnedNodeRef) -> bool {
    let stage = notification.get_optional_child("link_code_companion_reg").and_then(|reg| reg.get_attr("stage"));
    stage.is_some_and(|stage| stage.as_str() == "primary_hello")
}

pub(super) fn code_refused(error: &PairingCodeError) -> String {
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
