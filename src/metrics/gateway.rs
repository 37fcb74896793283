//! A gateway that is listened to: how far pairings come, how long a person waits, why
//! connections end.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use paird_actors::{
    domain::{
        Group, GroupsError, OnlineAnswer, OnlineError, OnlineOrder, OpenSession, PasskeyAnswer, PasskeyError, Purpose,
        SessionEvent, StoreError, UnlinkAnswer, Written,
    },
    ports::{Gateway, Session, SessionListener, WriteKeys},
};

use super::{
    Meters,
    meters::{PairStep, WaitKind},
    trace::{Port, traced},
};

/// Passes everything on; see the module.
pub struct MeteredGateway {
    inner: Arc<dyn Gateway>,
    meters: Arc<Meters>,
}

impl MeteredGateway {
    pub fn new(inner: Arc<dyn Gateway>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[async_trait]
impl Gateway for MeteredGateway {
    async fn open(&self, order: OpenSession, listener: SessionListener) -> Result<Arc<dyn Session>, StoreError> {
        let progress = Arc::new(ConnectionProgress::begin(&order.purpose, Arc::clone(&self.meters)));
        let overhearing = Arc::clone(&progress);
        let listener: SessionListener = Arc::new(move |incarnation, event| {
            overhearing.hears(&event);
            listener(incarnation, event);
        });
        let inner = traced(Port::Gateway, "open", self.inner.open(order, listener)).await?;
        self.meters.connection_opened();
        Ok(Arc::new(MeteredSession { inner, progress }))
    }
}

/// The progress of one connection.
struct ConnectionProgress {
    meters: Arc<Meters>,
    pairs: bool,
    begun: Instant,
    dialed: Mutex<Option<Instant>>,
    scanned: Mutex<Option<Instant>>,
    has_shown_qr: AtomicBool,
}

impl ConnectionProgress {
    fn begin(purpose: &Purpose, meters: Arc<Meters>) -> Self {
        let pairs = match purpose {
            Purpose::Pair { .. } => true,
            Purpose::Login | Purpose::Unlink => false,
        };
        let progress = Self {
            meters,
            pairs,
            begun: Instant::now(),
            dialed: Mutex::default(),
            scanned: Mutex::default(),
            has_shown_qr: AtomicBool::new(false),
        };
        progress.meters.connection_ordered(pairs);
        progress.step(PairStep::Opened);
        progress
    }

    fn step(&self, step: PairStep) {
        if self.pairs {
            self.meters.pairing_came_to(step);
        }
    }

    fn hears(&self, event: &SessionEvent) {
        match event {
            SessionEvent::Dialing => {
                mark(&self.dialed);
                self.meters.waited(WaitKind::Turn, self.begun);
            }
            SessionEvent::Qr { .. } => {
                if !self.has_shown_qr.swap(true, Ordering::Relaxed) {
                    self.step(PairStep::FirstQr);
                    self.meters.waited(WaitKind::FirstQr, self.begun);
                }
            }
            SessionEvent::Code { .. } => self.step(PairStep::Code),
            SessionEvent::QrOver | SessionEvent::CodeOver { .. } | SessionEvent::GroupsChanged => {}
            SessionEvent::Passkey { .. } => self.step(PairStep::Passkey),
            SessionEvent::Scanned { .. } => {
                mark(&self.scanned);
                self.step(PairStep::Scanned);
            }
            SessionEvent::ScanRejected { .. } => self.step(PairStep::ScanRejected),
            SessionEvent::Open { .. } => {
                self.step(PairStep::LoggedIn);
                if let Some(scanned) = take(&self.scanned) {
                    self.meters.waited(WaitKind::LoginAfterScan, scanned);
                } else if let Some(dialed) = take(&self.dialed) {
                    self.meters.waited(WaitKind::Login, dialed);
                }
            }
            SessionEvent::Ended { reason } => self.meters.connection_ended(reason.code()),
        }
    }
}

fn mark(moment: &Mutex<Option<Instant>>) {
    *moment.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

fn take(moment: &Mutex<Option<Instant>>) -> Option<Instant> {
    moment.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct MeteredSession {
    inner: Arc<dyn Session>,
    progress: Arc<ConnectionProgress>,
}

#[async_trait]
impl Session for MeteredSession {
    async fn secure_keys(&self, write: WriteKeys) -> Result<Written, StoreError> {
        traced(Port::Gateway, "secure_keys", self.inner.secure_keys(write)).await
    }

    async fn confirm_link(&self) {
        self.progress.step(PairStep::Confirmed);
        traced(Port::Gateway, "confirm_link", self.inner.confirm_link()).await;
    }

    async fn refuse_link(&self) {
        self.progress.step(PairStep::Refused);
        traced(Port::Gateway, "refuse_link", self.inner.refuse_link()).await;
    }

    async fn unlink(&self) -> UnlinkAnswer {
        traced(Port::Gateway, "unlink", self.inner.unlink()).await
    }

    async fn groups(&self) -> Result<Vec<Group>, GroupsError> {
        traced(Port::Gateway, "groups", self.inner.groups()).await
    }

    async fn ask(&self, order: OnlineOrder) -> Result<OnlineAnswer, OnlineError> {
        traced(Port::Gateway, "ask", self.inner.ask(order)).await
    }

    async fn answer_passkey(&self, answer: PasskeyAnswer) -> Result<(), PasskeyError> {
        traced(Port::Gateway, "answer_passkey", self.inner.answer_passkey(answer)).await
    }

    async fn close(&self) {
        let asked = Instant::now();
        traced(Port::Gateway, "close", self.inner.close()).await;
        self.progress.meters.waited(WaitKind::Close, asked);
    }

    async fn cut(&self) {
        traced(Port::Gateway, "cut", self.inner.cut()).await;
    }
}

impl Drop for MeteredSession {
    fn drop(&mut self) {
        self.progress.meters.connection_gone();
    }
}
