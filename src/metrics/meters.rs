//! The series that are counted as something happens: their names and their help. Those that are
//! read when they are asked for (the fleet, pools, HTTP, the lane) stand in files of their own.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use paird_actors::domain::{
    Change, CommandRow, EventKind, IncomingMessage, Instant as PointInTime, MessageKind, Reason, StoreError,
    TicketOutcome,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::{
    history::{Totals, Waits},
    outgoing::OutgoingMeters,
    process::Usage,
    trace::{Port, traced},
};
use crate::whatsapp::{OddKind, ProxyDial};

/// From a millisecond to five minutes: a statement, a QR, a person with a phone.
const BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// A step that the connection of a pair attempt reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PairStep {
    Opened,
    FirstQr,
    Code,
    Passkey,
    Scanned,
    ScanRejected,
    Confirmed,
    Refused,
    LoggedIn,
}

impl PairStep {
    const ALL: [Self; 9] = [
        Self::Opened,
        Self::FirstQr,
        Self::Code,
        Self::Passkey,
        Self::Scanned,
        Self::ScanRejected,
        Self::Confirmed,
        Self::Refused,
        Self::LoggedIn,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstQr => "first_qr",
            Self::Code => "code",
            Self::Passkey => "passkey",
            Self::Scanned => "scanned",
            Self::ScanRejected => "scan_rejected",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::LoggedIn => "logged_in",
        }
    }
}

/// A wait that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitKind {
    /// A connection's turn, by the connect budget.
    Turn,
    /// The first QR of a connection, since it was ordered.
    FirstQr,
    /// The first login, since the phone scanned.
    LoginAfterScan,
    /// A login with keys that exist, since it was dialed.
    Login,
    /// From the order to close a connection to its end.
    Close,
}

pub(super) type Label = [(&'static str, &'static str); 1];
pub(super) type Counters = Family<Label, Counter>;
type Histograms = Family<Label, Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    operation: &'static str,
    why: &'static str,
}

/// Every series that is counted as it happens.
pub struct Meters {
    registry: Mutex<Registry>,
    /// First QRs and logins: the sums of a histogram cannot be read from it.
    waits: Mutex<(Waits, Waits)>,
    pairing: Counters,
    turn: Histogram,
    first_qr: Histogram,
    login_after_scan: Histogram,
    login: Histogram,
    close: Histogram,
    connections: Counters,
    connection_ends: Counters,
    odd_stanzas: Counters,
    proxy_dials: Counters,
    open_connections: Gauge,
    events: Counters,
    commands: Counters,
    command_ends: Counters,
    unlink_tries: Counters,
    messages: Counters,
    message_lag: Histogram,
    message_requests: Counter,
    pub(super) outgoing: OutgoingMeters,
    store: Histograms,
    store_failures: Family<Failure, Counter>,
    lease_live: Gauge,
    lease_age: Gauge<f64, AtomicU64>,
    resident: Gauge,
    virtual_memory: Gauge,
    open_files: Gauge,
    most_files: Gauge,
    cpu: Counter<f64, AtomicU64>,
    started: Gauge<f64, AtomicU64>,
    tasks: Gauge,
}

impl Default for Meters {
    fn default() -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("paird_build", "The daemon that answers", build);
        let r = &mut registry;
        let meters = Self {
            pairing: counters(r, "paird_pairing_steps", "How far the connections of pair attempts came"),
            turn: seconds(r, "paird_connect_turn_duration", "Waiting for the connect budget"),
            first_qr: seconds(r, "paird_first_qr_duration", "From the order of a pairing connection to its first QR"),
            login_after_scan: seconds(r, "paird_login_after_scan_duration", "From the phone's scan to the first login"),
            login: seconds(r, "paird_login_duration", "From dialing to logged in, with keys that exist"),
            close: seconds(r, "paird_close_duration", "From the order to close a connection to its end"),
            connections: counters(r, "paird_connections", "Connections that were ordered, by purpose"),
            connection_ends: counters(r, "paird_connection_ends", "Connections that ended by themselves, by reason"),
            odd_stanzas: counters(r, "paird_odd_stanzas", "What WhatsApp sent that nobody understands, by kind"),
            proxy_dials: counters(r, "paird_proxy_dials", "Connections through proxies that were tried, by outcome"),
            open_connections: gauge(r, "paird_connections_open", "Connections to WhatsApp that this daemon holds"),
            events: counters(r, "paird_events", "Events that were written, by type"),
            commands: counters(r, "paird_commands_taken", "Commands that were taken, by kind"),
            command_ends: counters(r, "paird_command_ends", "Commands that ended, by outcome"),
            unlink_tries: counters(r, "paird_unlink_tries", "Tries of unlink tickets, by outcome"),
            messages: counters(
                r,
                "paird_messages",
                "Messages that were written, by kind; waiting ones when they come, too",
            ),
            message_lag: seconds(
                r,
                "paird_message_lag_duration",
                "From WhatsApp's time of a message, in whole seconds, to its row",
            ),
            message_requests: Counter::default(),
            outgoing: OutgoingMeters::registered(r),
            store: Histograms::new_with_constructor(histogram),
            store_failures: Family::default(),
            lease_live: gauge(r, "paird_lease_live", "1 while this daemon may hold connections"),
            lease_age: Gauge::default(),
            resident: Gauge::default(),
            virtual_memory: Gauge::default(),
            open_files: gauge(r, "process_open_fds", "Open files of the daemon"),
            most_files: gauge(r, "process_max_fds", "How many files the daemon may open"),
            cpu: Counter::default(),
            started: Gauge::default(),
            tasks: gauge(r, "paird_tasks", "Tasks that are alive in the daemon"),
            registry: Mutex::default(),
            waits: Mutex::default(),
        };
        let timed = "The store's answers, by operation";
        r.register_with_unit("paird_store_duration", timed, Unit::Seconds, meters.store.clone());
        let requests = "Waiting messages that a phone was asked for, besides the library's own requests";
        r.register("paird_message_requests", requests, meters.message_requests.clone());
        let failed = "Operations of the store that did not happen; fenced is another owner, and no fault";
        r.register("paird_store_failures", failed, meters.store_failures.clone());
        let age = "Since the start of the last good renewal of the lease";
        r.register_with_unit("paird_lease_age", age, Unit::Seconds, meters.lease_age.clone());
        r.register_with_unit("process_resident_memory", "Resident memory", Unit::Bytes, meters.resident.clone());
        let virtual_memory = "Address space";
        r.register_with_unit("process_virtual_memory", virtual_memory, Unit::Bytes, meters.virtual_memory.clone());
        r.register_with_unit("process_cpu", "Processor time since the start", Unit::Seconds, meters.cpu.clone());
        let started = "When the process began, in seconds since 1970";
        r.register_with_unit("process_start_time", started, Unit::Seconds, meters.started.clone());
        let meters = Self { registry: Mutex::new(registry), ..meters };
        meters.begin_at_nothing();
        meters
    }
}

/// The kind of a message that cannot be read yet.
const WAITING: &str = "waiting";

/// Reasons that alerts may be based on.
const ALARMING_REASONS: [Reason; 6] = [
    Reason::Banned,
    Reason::TemporaryBan,
    Reason::ClientOutdated,
    Reason::Replaced,
    Reason::LoggedOut,
    Reason::Unreachable,
];

pub(super) fn begin(counters: &Counters, label: &'static str, values: impl IntoIterator<Item = &'static str>) {
    for value in values {
        drop(counters.get_or_create(&[(label, value)]));
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

pub(super) fn counters(registry: &mut Registry, name: &str, help: &str) -> Counters {
    let counters = Counters::default();
    registry.register(name, help, counters.clone());
    counters
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

pub(super) fn seconds(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = histogram();
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

impl Meters {
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A series that appears with its first event has no increase to alert on.
    fn begin_at_nothing(&self) {
        begin(&self.pairing, "step", PairStep::ALL.map(PairStep::name));
        begin(&self.connections, "purpose", ["pair", "login"]);
        begin(&self.connection_ends, "reason", ALARMING_REASONS.map(Reason::as_str));
        begin(&self.proxy_dials, "outcome", ProxyDial::ALL.map(ProxyDial::name));
        begin(&self.odd_stanzas, "kind", OddKind::ALL.map(OddKind::name));
        let ends_of_attempts = EventKind::ALL.iter().filter(|kind| kind.is_terminal());
        begin(&self.events, "type", ends_of_attempts.map(|kind| kind.as_str()));
        begin(&self.command_ends, "outcome", ["done", "failed"]);
        begin(&self.messages, "kind", MessageKind::ALL.iter().map(|kind| kind.as_str()).chain([WAITING]));
        begin(&self.unlink_tries, "outcome", ["unlinked", "failed", "abandoned"]);
        drop(self.store_failures.get_or_create(&Failure { operation: "record", why: "unavailable" }));
        for operation in ["record_messages", "take_messages", "settle_messages"] {
            drop(self.store_failures.get_or_create(&Failure { operation, why: "unavailable" }));
        }
    }

    pub(super) fn pairing_came_to(&self, step: PairStep) {
        self.pairing.get_or_create(&[("step", step.name())]).inc();
    }

    pub(super) fn waited(&self, wait: WaitKind, since: Instant) {
        let histogram = match wait {
            WaitKind::Turn => &self.turn,
            WaitKind::FirstQr => &self.first_qr,
            WaitKind::LoginAfterScan => &self.login_after_scan,
            WaitKind::Login => &self.login,
            WaitKind::Close => &self.close,
        };
        let waited = since.elapsed();
        histogram.observe(waited.as_secs_f64());
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match wait {
            WaitKind::FirstQr => waits.0.add(waited),
            WaitKind::Login => waits.1.add(waited),
            WaitKind::Turn | WaitKind::LoginAfterScan | WaitKind::Close => {}
        }
    }

    pub(super) fn connections_now(&self) -> i64 {
        self.open_connections.get()
    }

    pub(super) fn totals(&self) -> Totals {
        let count =
            |counters: &Counters, label, value| counters.get(&[(label, value)]).map_or(0, |counter| counter.get());
        let (qrs, logins) = *self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
        let kinds = MessageKind::ALL.iter().map(|kind| kind.as_str()).chain([WAITING]);
        Totals {
            qrs,
            logins,
            ends: reasons.map(|reason| (reason, count(&self.connection_ends, "reason", reason))).collect(),
            received: kinds.map(|kind| count(&self.messages, "kind", kind)).sum(),
            sent: self.outgoing.sent(),
        }
    }

    pub(super) fn connection_ordered(&self, pairs: bool) {
        self.connections.get_or_create(&[("purpose", if pairs { "pair" } else { "login" })]).inc();
    }

    pub(super) fn connection_opened(&self) {
        self.open_connections.inc();
    }

    pub(super) fn connection_gone(&self) {
        self.open_connections.dec();
    }

    pub(crate) fn stanza_was_odd(&self, kind: OddKind) {
        self.odd_stanzas.get_or_create(&[("kind", kind.name())]).inc();
    }

    pub(crate) fn proxy_was_dialled(&self, dial: ProxyDial) {
        self.proxy_dials.get_or_create(&[("outcome", dial.name())]).inc();
    }

    pub(super) fn connection_ended(&self, reason: &'static str) {
        self.connection_ends.get_or_create(&[("reason", reason)]).inc();
    }

    pub(super) fn commands_taken(&self, taken: &[CommandRow]) {
        for command in taken {
            // An arbitrary text in the column must not create a series.
            let kind = command.command.as_ref().map_or("invalid", |command| command.kind().as_str());
            self.commands.get_or_create(&[("kind", kind)]).inc();
        }
    }

    pub(super) fn recorded(&self, change: &Change) {
        for event in &change.events {
            self.events.get_or_create(&[("type", event.kind().as_str())]).inc();
        }
        for ended in &change.finished {
            let outcome = if ended.result.is_ok() { "done" } else { "failed" };
            self.command_ends.get_or_create(&[("outcome", outcome)]).inc();
        }
    }

    pub(super) fn ticket_tried(&self, outcome: &TicketOutcome) {
        let outcome = match outcome {
            TicketOutcome::Unlinked { .. } => "unlinked",
            TicketOutcome::Failed { .. } => "failed",
            TicketOutcome::Abandoned { .. } => "abandoned",
        };
        self.unlink_tries.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Times an operation of a store, and lets it be seen under the command that led to it.
    pub(super) async fn timed<T>(
        &self,
        operation: &'static str,
        doing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let done = traced(Port::Store, operation, doing).await;
        self.store_answered(operation, started.elapsed(), done.as_ref().err());
        done
    }

    fn store_answered(&self, operation: &'static str, took: Duration, failure: Option<&StoreError>) {
        self.store.get_or_create(&[("operation", operation)]).observe(took.as_secs_f64());
        let why = match failure {
            None => return,
            Some(StoreError::Fenced) => "fenced",
            Some(StoreError::Overtaken) => "overtaken",
            Some(StoreError::Refused(_)) => "refused",
            Some(StoreError::Poisoned(_)) => "poisoned",
            Some(StoreError::Unavailable(_)) => "unavailable",
        };
        self.store_failures.get_or_create(&Failure { operation, why }).inc();
    }

    pub(super) fn message_came(&self, message: &IncomingMessage, now: PointInTime) {
        let kind = message.kind().map_or(WAITING, MessageKind::as_str);
        self.messages.get_or_create(&[("kind", kind)]).inc();
        let lag = u64::try_from(now.0.saturating_sub(message.sent_at.0)).unwrap_or(0);
        self.message_lag.observe(Duration::from_millis(lag).as_secs_f64());
    }

    pub(super) fn messages_requested(&self, count: usize) {
        self.message_requests.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(super) fn lease_is(&self, live: bool, age: Duration) {
        self.lease_live.set(i64::from(live));
        self.lease_age.set(age.as_secs_f64());
    }

    pub(super) fn process_is(&self, usage: Usage, tasks: usize) {
        let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        if let Some(bytes) = usage.resident_bytes {
            self.resident.set(whole(bytes));
        }
        if let Some(bytes) = usage.virtual_bytes {
            self.virtual_memory.set(whole(bytes));
        }
        if let Some(files) = usage.most_files {
            self.most_files.set(whole(files));
        }
        if let Some(files) = usage.open_files {
            self.open_files.set(whole(files));
        }
        if let Some(seconds) = usage.cpu_seconds {
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        }
        if let Some(seconds) = usage.started {
            self.started.set(seconds);
        }
        self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    }
}
