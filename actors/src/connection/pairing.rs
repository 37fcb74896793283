//! Making a link: the QR and code shown to a phone, and the handling of its scan.

use std::time::Duration;

use serde_json::Value;

use super::{
    Answer, Connection, Effect, Hold, LinkStage, Note, Scan, ScanId, State, Step, codes::CodeWait, state::HoldStage,
};
use crate::domain::{CloseReason, CodeOver, PasskeyStage, Secret, SessionEvent};

const TWO_PHONES: &str = "two phones scanned at once; neither was linked";
const NO_NUMBER: &str = "whatsapp named no phone number for the scan";

impl Connection {
    /// No link is made, and its owner knows of no scan.
    fn may_show(&self) -> bool {
        let is_before_scan = match &self.state {
            State::Dialing | State::Pairing => true,
            State::Held(hold) => matches!(hold.stage, HoldStage::Answering(_)),
            State::Queued
            | State::Confirmed { .. }
            | State::Restarting { .. }
            | State::LoggingIn
            | State::Open(_)
            | State::Ending { .. }
            | State::Closing { .. }
            | State::Ended => false,
        };
        is_before_scan && self.link == LinkStage::Missing
    }

    /// No phone has scanned.
    fn awaits_scan(&self) -> bool {
        self.may_show() && !matches!(self.state, State::Held(_))
    }

    /// The same QR may come again; the account's machine recognizes it.
    pub(super) fn on_qr(&mut self, payload: Secret, lasts: Duration, step: &mut Step) {
        if self.may_show() {
            step.emit(SessionEvent::Qr { payload, expires_at: step.now.after(lasts) });
        }
    }

    /// Dialing | Pairing | Held → the same | Ending
    pub(super) fn on_qrs_exhausted(&mut self, closes: bool, step: &mut Step) {
        if closes {
            return self.on_close_reported(CloseReason::QrExhausted, step);
        }
        self.codes.is_without_qr = true;
        if self.may_show() {
            step.emit(SessionEvent::QrOver);
        }
    }

    pub(super) fn on_passkey(&mut self, stage: PasskeyStage, request: Value, lasts: Duration, step: &mut Step) {
        if self.may_show() {
            step.emit(SessionEvent::Passkey { stage, request, expires_at: step.now.after(lasts) });
        }
    }

    /// Asks for a code to type; does nothing on a connection that shows QRs alone.
    pub(super) fn ask_for_code(&mut self, step: &mut Step) {
        let Some(phone) = self.codes.phone.clone() else { return };
        self.codes.wait = None;
        let most = self.policy.codes;
        if self.codes.asked >= most {
            let enough = format!("{most} codes were shown, and this connection asks for no more; scan the QR");
            return step.emit(SessionEvent::CodeOver { reason: CodeOver::Refused(enough) });
        }
        self.codes.asked += 1;
        self.codes.typed = 0;
        step.order(Effect::AskForCode { nth: self.codes.asked, phone });
    }

    pub(super) fn on_code(&mut self, code: Secret, lasts: Duration, step: &mut Step) {
        if !self.may_show() {
            return;
        }
        self.codes.wait = Some(CodeWait::Expiry(step.now.after(lasts + self.policy.code_grace)));
        step.emit(SessionEvent::Code { code, expires_at: step.now.after(lasts) });
    }

    /// A code before it may still link. It is waited out.
    pub(super) fn on_code_outstanding(&mut self, nth: u8, remaining: Duration, step: &mut Step) {
        if nth == self.codes.asked && self.may_show() {
            self.codes.wait = Some(CodeWait::Retry(step.now.after(remaining + self.policy.code_grace)));
        }
    }

    /// The shown code has expired, or the next can be asked for.
    pub(super) fn on_code_deadline(&mut self, step: &mut Step) {
        match (self.codes.wait.take(), self.codes.phone.clone()) {
            (Some(CodeWait::Expiry(_)), _) => self.end_code(CodeOver::Expired, step),
            (Some(CodeWait::Retry(_)), Some(phone)) => {
                step.order(Effect::AskForCode { nth: self.codes.asked, phone });
            }
            (Some(CodeWait::Retry(_)) | None, _) => {}
        }
    }

    /// WhatsApp wants another code, or this one was typed too often.
    pub(super) fn on_code_spent(&mut self, step: &mut Step) {
        if self.awaits_scan() {
            self.end_code(CodeOver::Spent, step);
        }
    }

    /// Takes the code off and asks for the next, on this socket; if it has no QR left, on the
    /// next connection's. Dialing | Pairing → the same | Ending
    fn end_code(&mut self, why: CodeOver, step: &mut Step) {
        self.codes.wait = None;
        step.emit(SessionEvent::CodeOver { reason: why });
        if self.codes.is_without_qr {
            return self.on_close_reported(CloseReason::QrExhausted, step);
        }
        self.ask_for_code(step);
    }

    pub(super) fn on_code_refused(&mut self, why: String, step: &mut Step) {
        self.codes.wait = None;
        if self.may_show() {
            step.emit(SessionEvent::CodeOver { reason: CodeOver::Refused(why) });
        }
    }

    /// The library silently ignores tries beyond its limit: the code is replaced at the first of them.
    pub(super) fn on_code_typed(&mut self, step: &mut Step) {
        self.on_stanza(step.now);
        self.codes.typed = self.codes.typed.saturating_add(1);
        if self.codes.typed == self.policy.tries_per_code.saturating_add(1) && self.awaits_scan() {
            step.order(Effect::CancelCode);
        }
    }

    /// A scan came to nothing; the next may do.
    pub(super) fn on_scan_failed(&mut self, reason: String, step: &mut Step) {
        if self.may_show() {
            step.emit(SessionEvent::ScanRejected { reason });
        }
    }

    /// A phone scanned, and the library is about to answer: from now on its frames wait. A
    /// second device refuses both, as one answer must never make two links.
    /// Pairing → Held; anything with a socket → Ending
    pub(super) fn on_pair_success(&mut self, scan: Option<Scan>, step: &mut Step) {
        self.on_stanza(step.now);
        if self.is_known(scan.as_ref()) {
            return;
        }
        match &self.state {
            State::Pairing if self.link == LinkStage::Missing => match scan {
                Some(scan) => self.hold(scan, step),
                None => self.reject_scan(NO_NUMBER, step),
            },
            State::Dialing
            | State::Pairing
            | State::Held(_)
            | State::Confirmed { .. }
            | State::LoggingIn
            | State::Open(_) => self.reject_scan(if scan.is_some() { TWO_PHONES } else { NO_NUMBER }, step),
            // The socket still takes frames; this one's answer must not be among them.
            State::Ending { .. } | State::Closing { .. } => self.link = LinkStage::Refused,
            State::Queued | State::Restarting { .. } | State::Ended => {}
        }
    }

    /// The device is held or linked already: WhatsApp said it twice.
    fn is_known(&self, scan: Option<&Scan>) -> bool {
        let Some(scan) = scan else { return false };
        let is_held = if let State::Held(hold) = &self.state { hold.device_jid == scan.device_jid } else { false };
        let is_linked = if let LinkStage::Confirmed { device_jid, .. } = &self.link {
            *device_jid == scan.device_jid
        } else {
            false
        };
        is_held || is_linked
    }

    fn hold(&mut self, scan: Scan, step: &mut Step) {
        self.scan = ScanId(self.scan.0 + 1);
        self.state = State::Held(Hold {
            scan: self.scan,
            device_jid: scan.device_jid,
            stage: HoldStage::Answering(scan.phone),
            until: step.now.after(self.policy.answer_timeout),
        });
        step.order(Effect::AwaitAnswer { scan: self.scan, stanza_id: scan.stanza_id });
    }

    /// A scan without a known phone number is refused.
    fn reject_scan(&mut self, reason: &str, step: &mut Step) {
        step.emit(SessionEvent::ScanRejected { reason: reason.to_owned() });
        self.refuse(step);
    }

    /// The library has its answer to the scan; it is held back. Held → Held | Pairing | Ending
    pub(super) fn on_answered(&mut self, of: ScanId, answer: Answer, step: &mut Step) {
        let State::Held(hold) = &mut self.state else { return };
        let HoldStage::Answering(phone) = &hold.stage else { return };
        if hold.scan != of {
            return;
        }
        match answer {
            Answer::Confirms => {
                step.emit(SessionEvent::Scanned { phone: phone.clone(), device_jid: hold.device_jid.clone() });
                hold.stage = HoldStage::Asked { keys_durable: false };
                hold.until = step.now.after(self.policy.hold_timeout);
            }
            // Nothing to confirm: the answer that says so may leave.
            Answer::Fails => self.state = State::Pairing,
            // Nothing must slip out later.
            Answer::Missing => self.refuse(step),
        }
    }

    pub(super) fn on_keys_durable(&mut self, of: ScanId) {
        if let State::Held(Hold { scan, stage: HoldStage::Asked { keys_durable }, .. }) = &mut self.state
            && *scan == of
        {
            *keys_durable = true;
        }
    }

    /// Held → Confirmed, if its keys are durable; else → Ending
    pub(super) fn on_confirm(&mut self, step: &mut Step) {
        let State::Held(hold) = &self.state else { return step.order(Effect::Note(Note::ConfirmedTooLate)) };
        match hold.stage {
            HoldStage::Asked { keys_durable: true } => {
                self.link = LinkStage::Confirmed { device_jid: hold.device_jid.clone(), is_finished: false, logins: 0 };
                self.state = State::Confirmed { restart_at: None };
                self.codes.wait = None;
            }
            HoldStage::Asked { keys_durable: false } | HoldStage::Answering(_) => {
                step.order(Effect::Note(Note::KeysNotDurable));
                self.refuse(step);
            }
        }
    }

    /// Anything with a socket → Ending; Queued | Restarting → Closing
    pub(super) fn on_refuse(&mut self, step: &mut Step) {
        if !self.state.is_over() {
            self.refuse(step);
        }
    }

    /// No frame leaves any more, and the socket is closed.
    pub(super) fn refuse(&mut self, step: &mut Step) {
        self.link = LinkStage::Refused;
        self.evidence.report(CloseReason::SocketLost("the link was refused".to_owned()));
        if self.state.has_run() {
            self.end_soon(step);
        } else {
            self.close(Some(self.evidence.reason()), step);
        }
    }
}
