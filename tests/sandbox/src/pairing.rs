//! A pairing socket: refs, a scan or a typed code, pair-success, the
//! companion's signature, the 515.
//!
//! ```text
//! Unscanned ──scan or code──▶ Offered ──pair-device-sign──▶ linked ──515──▶ closed
//!     ▲                         │
//!     └──── the client's error ─┘
//! ```

use std::time::Duration;

use buffa::Message as _;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use wacore_binary::Node;
use waproto::whatsapp::{ClientPayload, DeviceProps};

use crate::adv::{self, Flaw, Vouched};
use crate::answers::{Answer, answer_unregistered};
use crate::faults::{Fault, Occasion, PausePoint, RestartFault};
use crate::keys::bytes;
use crate::orders::{Done, Order, Scan, ScanOptions, TypedCode};
use crate::pair_code::CodeFlow;
use crate::passkey::Exchange;
use crate::peer::{Ending, Happening, Peer, Step};
use crate::stanza::{attr, pair_device, pair_success, refusal, result, stream_error};
use crate::world::{DeviceId, Registration, now_ms};

const REFS_ID: &str = "sandbox-refs";
const OFFER_ID: &str = "sandbox-offer";

struct Pairing {
    companion: Registration,
    refs: Vec<String>,
    code: Option<CodeFlow>,
    offer: Option<Offer>,
    /// The passkey exchange that comes before the offer.
    passkey: Option<Exchange>,
    /// Scans that went out, to tell the answers to them apart.
    offers: u32,
    /// The 515 is out already.
    restarted: bool,
}

/// The outcome of a request for a code.
enum Begun {
    Shown(Node),
    Refused(u16, String),
}

/// A pair-success that the companion has not answered yet.
struct Offer {
    iq_id: String,
    device: DeviceId,
    vouched: Vouched,
}

/// Reads what a companion says of itself. Fails in words when it says too little.
pub(crate) fn registration(payload: &ClientPayload, noise_key: [u8; 32]) -> Result<Registration, String> {
    let data = payload.device_pairing_data.as_option().ok_or("no device pairing data")?;
    let identity = data.e_ident.as_deref().and_then(|key| key.try_into().ok()).ok_or("no identity key")?;
    let props = DeviceProps::decode_from_slice(data.device_props.as_deref().unwrap_or_default())
        .map_err(|_| "undecodable device props")?;
    let platform = props.platform_type.map_or_else(|| "UNKNOWN".to_owned(), |kind| format!("{kind:?}"));
    Ok(Registration { identity, noise_key, label: props.os.unwrap_or_default(), platform })
}

pub(crate) async fn run(peer: &mut Peer, companion: Registration) -> Ending {
    let mut pairing =
        Pairing { companion, refs: Vec::new(), code: None, offer: None, passkey: None, offers: 0, restarted: false };
    let ending = match pairing.converse(peer).await {
        Ok(()) => Ending::Close,
        Err(ending) => ending,
    };
    peer.world.withdraw_refs(peer.enrolled.id);
    if let Some(Fault::LateClose { linger_ms, .. }) = peer.world.take_fault(Occasion::PairingDone) {
        if let Ending::With(last) = &ending {
            let _ = peer.send(last).await;
        }
        let refs = pair_device(REFS_ID, &pairing.refs);
        peer.linger(Duration::from_millis(linger_ms), &refs).await;
        return Ending::Close;
    }
    ending
}

impl Pairing {
    async fn converse(&mut self, peer: &mut Peer) -> Step {
        let pace = peer.world.pace();
        peer.wait(pace.before_first_stanza()).await?;
        self.refs = peer.world.issue_refs(peer.enrolled.id);
        peer.send(&pair_device(REFS_ID, &self.refs)).await?;
        let deadline = Instant::now() + pace.unscanned_lifetime();
        loop {
            let happened = tokio::select! {
                happened = peer.next() => happened?,
                () = sleep_until(deadline), if self.is_idle() => return Ok(()),
            };
            match happened {
                Happening::Stanza(stanza) => self.on_stanza(peer, stanza).await?,
                Happening::Order(Order::ResendRefs(times)) => {
                    for _ in 0..times {
                        peer.send(&pair_device(REFS_ID, &self.refs)).await?;
                    }
                }
                Happening::Order(Order::Scan(scan)) => self.on_scan(peer, *scan).await?,
                Happening::Order(Order::TypeCode(typed)) => self.on_typed_code(peer, *typed).await?,
                Happening::Order(Order::RefreshCode) => {
                    if let Some(flow) = &self.code {
                        peer.send(&flow.refresh()).await?;
                    }
                }
                Happening::Order(Order::ChallengeAgain) => {
                    if let Some(former) = self.passkey.take() {
                        self.challenge(peer, &former.number, former.options).await?;
                    }
                }
                Happening::Post
                | Happening::Order(Order::Cut | Order::EndWith(_) | Order::Garble(_) | Order::Say(_)) => {}
            }
        }
    }

    /// No exchange has begun, so the socket's lifetime is limited.
    fn is_idle(&self) -> bool {
        self.code.is_none() && self.offer.is_none() && self.passkey.is_none()
    }

    async fn on_stanza(&mut self, peer: &mut Peer, stanza: Node) -> Step {
        let (kind, id) = (attr(&stanza, "type"), attr(&stanza, "id"));
        if stanza.tag == "iq" && id == REFS_ID && kind == "result" {
            return Ok(());
        }
        if stanza.tag == "iq" && self.offer.as_ref().is_some_and(|offer| offer.iq_id == id) {
            return match kind.as_str() {
                "result" => self.on_signed(peer, &stanza).await,
                _ => {
                    self.offer = None;
                    peer.world.state().report.offers_rejected += 1;
                    Ok(())
                }
            };
        }
        if let Some(reg) = stanza.get_optional_child("link_code_companion_reg") {
            return self.on_code_stage(peer, &stanza, reg).await;
        }
        if attr(&stanza, "xmlns") == "md"
            && let Some(exchange) = self.passkey.take()
        {
            return self.on_passkey_stage(peer, &stanza, exchange).await;
        }
        match answer_unregistered(&stanza) {
            Answer::Say(answers) => {
                peer.world.state().report.note_answered(&stanza);
                for answer in &answers {
                    peer.send(answer).await?;
                }
            }
            Answer::Nothing => {}
            Answer::Backlog(_) | Answer::Unlink(_) | Answer::Unknown(_) => peer.note_unknown(&stanza),
        }
        Ok(())
    }

    async fn on_scan(&mut self, peer: &mut Peer, scan: Scan) -> Step {
        let Scan { number, qr, options, done } = scan;
        let shown = (qr.noise_key, qr.identity);
        if shown != (self.companion.noise_key, self.companion.identity) {
            // Fails only if the caller that scanned is gone, which does not matter.
            let _ = done.send(Err("the keys in the qr are not those of the connection that shows it".to_owned()));
            return Ok(());
        }
        peer.wait(Duration::from_millis(options.approve_after_ms)).await?;
        if self.passkey.is_some() {
            let _ = done.send(Err("another phone is being linked already".to_owned()));
            return Ok(());
        }
        if peer.world.has_passkey(&number) {
            self.challenge(peer, &number, options).await?;
            let _ = done.send(Ok(()));
            return Ok(());
        }
        self.offer(peer, &number, &qr.adv_secret, options, done).await
    }

    async fn challenge(&mut self, peer: &mut Peer, number: &str, options: ScanOptions) -> Step {
        let exchange = Exchange::new(number, options);
        match exchange.request(&peer.world) {
            Ok(request) => {
                peer.send(&request).await?;
                self.passkey = Some(exchange);
            }
            Err(error) => peer.note_violation(format!("{error:#}")),
        }
        Ok(())
    }

    /// One iq of a passkey exchange. An assertion that does not verify is refused, and the
    /// challenge stays valid.
    async fn on_passkey_stage(&mut self, peer: &mut Peer, iq: &Node, mut exchange: Exchange) -> Step {
        let not_authorized = |error: anyhow::Error| {
            tracing::debug!(error = format!("{error:#}"), "refused");
            refusal(iq, 401, "not-authorized")
        };
        if iq.get_optional_child("ref").is_some() {
            peer.send(&result(iq, vec![exchange.reference()])).await?;
        } else if let Some(stage) = iq.get_optional_child("passkey_prologue") {
            match exchange.on_prologue(&peer.world, stage) {
                Ok(()) => {
                    peer.send(&result(iq, Vec::new())).await?;
                    // The way to the phone and back.
                    peer.wait(peer.world.pace().before_restart()).await?;
                    peer.send(&exchange.continuation()).await?;
                }
                Err(error) => peer.send(&not_authorized(error)).await?,
            }
        } else if let Some(nonce) = iq.get_optional_child("companion_nonce") {
            match exchange.on_nonce(&bytes(Some(nonce))) {
                Ok(code) => {
                    peer.world.show_passkey_code(&exchange.number, Some(code));
                    peer.send(&result(iq, Vec::new())).await?;
                }
                Err(error) => peer.send(&not_authorized(error)).await?,
            }
        } else if let Some(sealed) = iq.get_optional_child("encrypted_pairing_request") {
            peer.world.show_passkey_code(&exchange.number, None);
            match exchange.on_pairing_request(&bytes(Some(sealed)), &self.companion) {
                Ok(adv_secret) => {
                    peer.send(&result(iq, Vec::new())).await?;
                    peer.wait(peer.world.pace().before_restart()).await?;
                    // The scan was answered when the challenge was sent.
                    let (done, _) = oneshot::channel();
                    return self.offer(peer, &exchange.number, &adv_secret, exchange.options, done).await;
                }
                Err(error) => peer.send(&not_authorized(error)).await?,
            }
        } else {
            peer.note_unknown(iq);
        }
        self.passkey = Some(exchange);
        Ok(())
    }

    /// Sends pair-success, and notifies the caller that waits for it.
    async fn offer(
        &mut self,
        peer: &mut Peer,
        number: &str,
        adv_secret: &[u8; 32],
        options: ScanOptions,
        done: Done,
    ) -> Step {
        if self.offer.is_some() {
            let _ = done.send(Err("another phone is being linked already".to_owned()));
            return Ok(());
        }
        peer.pass(PausePoint::BeforePairSuccess, number).await?;
        let flaw = match options {
            ScanOptions { bad_hmac: true, .. } => Flaw::Hmac,
            ScanOptions { bad_signature: true, .. } => Flaw::Signature,
            ScanOptions { .. } => Flaw::None,
        };
        let vouched = peer.world.reserve(number).and_then(|place| {
            let key_index = u32::from(place.id.device);
            let (sealed, vouched) = adv::vouch(
                &place.phone_identity,
                &self.companion.identity,
                adv_secret,
                key_index,
                now_ms() / 1_000,
                flaw,
            )?;
            Ok((place, sealed, vouched))
        });
        let (place, sealed, vouched) = match vouched {
            Ok(vouched) => vouched,
            Err(error) => {
                let _ = done.send(Err(error.to_string()));
                return Ok(());
            }
        };
        self.offers += 1;
        let iq_id = format!("{OFFER_ID}-{}", self.offers);
        let business = peer.world.business(number);
        peer.send(&pair_success(&iq_id, sealed, &place.jid, &place.lid, business)).await?;
        peer.world.state().report.offered += 1;
        self.offer = Some(Offer { iq_id, device: place.id, vouched });
        let _ = done.send(Ok(()));
        self.restart_early(peer).await
    }

    async fn restart_early(&mut self, peer: &mut Peer) -> Step {
        let early = peer.world.state().armed.take_early_restart();
        if let Some(fault) = early {
            peer.send(&stream_error(515)).await?;
            self.restarted = true;
            if fault == RestartFault::BeforeSign {
                return Err(Ending::Close);
            }
        }
        Ok(())
    }

    /// The companion has signed: verify, link, restart.
    async fn on_signed(&mut self, peer: &mut Peer, stanza: &Node) -> Step {
        let Some(Offer { device, vouched, .. }) = self.offer.take() else { return Ok(()) };
        peer.pass(PausePoint::BeforeLink, &device.number).await?;
        let identity = stanza.get_optional_child_by_tag(&["pair-device-sign", "device-identity"]);
        let key_index = identity.map(|node| attr(node, "key-index")).unwrap_or_default();
        let linked = adv::verify_countersigned(&bytes(identity), &key_index, &vouched)
            .and_then(|proof| peer.world.link(&device, &self.companion, proof));
        if let Err(error) = linked {
            peer.note_violation(format!("{error:#}"));
            return Err(Ending::Cut);
        }
        peer.pass(PausePoint::BeforeRestart, &device.number).await?;
        if self.restarted {
            return Err(Ending::Close);
        }
        let fault = match peer.world.take_fault(Occasion::Restarting) {
            Some(Fault::Restart { how, .. }) => Some(how),
            _ => None,
        };
        match fault {
            Some(RestartFault::Never) => loop {
                // Read on, and say nothing.
                peer.next().await?;
            },
            Some(RestartFault::Cut) => return Err(Ending::Cut),
            Some(RestartFault::AfterMs(ms)) => peer.wait(Duration::from_millis(ms)).await?,
            Some(RestartFault::AtOnce) => {}
            Some(RestartFault::BeforeSign | RestartFault::WithPairSuccess) | None => {
                let pause = peer.world.pace().before_restart();
                peer.wait(pause).await?;
            }
        }
        Err(Ending::With(Box::new(stream_error(515))))
    }

    async fn on_code_stage(&mut self, peer: &mut Peer, stanza: &Node, reg: &Node) -> Step {
        match attr(reg, "stage").as_str() {
            "companion_hello" => match self.begin_code(peer, reg) {
                Ok(Begun::Shown(answer)) => peer.send(&result(stanza, vec![answer])).await?,
                Ok(Begun::Refused(code, text)) => peer.send(&refusal(stanza, code, &text)).await?,
                Err(error) => peer.note_violation(format!("{error:#}")),
            },
            "companion_finish" => {
                peer.send(&result(stanza, Vec::new())).await?;
                let finished = self.code.as_mut().and_then(|flow| flow.finish(reg));
                match finished {
                    Some((Ok(adv_secret), number, done)) => {
                        self.offer(peer, &number, &adv_secret, ScanOptions::default(), done).await?;
                    }
                    Some((Err(error), _, done)) => {
                        let _ = done.send(Err(format!("{error:#}")));
                    }
                    None => peer.note_violation("a companion_finish that nobody asked for".to_owned()),
                }
            }
            _ => peer.note_unknown(stanza),
        }
        Ok(())
    }

    fn begin_code(&mut self, peer: &Peer, hello: &Node) -> anyhow::Result<Begun> {
        if let Some(Fault::RefuseCode { code, text, .. }) = peer.world.take_fault(Occasion::AskingForCode) {
            return Ok(Begun::Refused(code, text));
        }
        let flow = CodeFlow::begin(hello)?;
        peer.world.show_code(flow.number(), peer.enrolled.id);
        peer.world.state().report.codes_given += 1;
        let answer = flow.hello_answer();
        self.code = Some(flow);
        Ok(Begun::Shown(answer))
    }

    async fn on_typed_code(&mut self, peer: &mut Peer, typed: TypedCode) -> Step {
        let Some(flow) = self.code.as_mut() else {
            let _ = typed.done.send(Err("no code is on show".to_owned()));
            return Ok(());
        };
        if flow.is_typed() {
            let _ = typed.done.send(Err("the code is being typed already".to_owned()));
            return Ok(());
        }
        let identity = match peer.world.phone_identity(&typed.number) {
            Ok(identity) => identity,
            Err(error) => {
                let _ = typed.done.send(Err(error.to_string()));
                return Ok(());
            }
        };
        let hello = peer.hold(flow.primary_hello(typed, identity)).await?;
        match hello {
            Some(hello) => peer.send(&hello).await,
            None => Ok(()),
        }
    }
}
