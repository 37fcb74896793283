//! The fleet as the database has it: asked at a scrape, the same from every daemon.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;
use paird_actors::domain::{Reason, StoreError};
use paird_sql::queries::metrics::{FleetFigures, count_accounts_by_condition, read_fleet_figures};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Unit,
};
use tracing::debug;

use super::{Meters, history::FleetFiguresOfThen};
use crate::postgres::pool::{bounded, connection};

/// A scrape must be answered also while the database is not.
const SURVEY_TIMEOUT: Duration = Duration::from_secs(2);
const FRESH: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Condition {
    status: String,
    /// The word of the reason of a held account; what WhatsApp said after it is on the row.
    reason: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// See the module.
pub struct FleetGauges {
    read_at: Mutex<Instant>,
    /// When the database was asked last: however many scrape, it is asked once a second.
    asked_at: tokio::sync::Mutex<Option<Instant>>,
    age: Seconds,
    accounts: Family<Condition, Gauge>,
    /// The same by status alone, which cannot be read from them.
    by_status: Mutex<BTreeMap<String, i64>>,
    daemons: Gauge,
    tickets: Gauge,
    oldest_ticket: Seconds,
    commands: Gauge,
    oldest_command: Seconds,
    events: Gauge,
    oldest_event: Seconds,
    messages_waiting: Gauge,
    messages_queued: Gauge,
    oldest_message: Seconds,
    paused: Gauge,
}

impl FleetGauges {
    pub(super) fn registered_with(meters: &Meters) -> Self {
        let fleet = Self {
            read_at: Mutex::new(Instant::now()),
            asked_at: tokio::sync::Mutex::default(),
            age: Seconds::default(),
            accounts: Family::default(),
            by_status: Mutex::default(),
            daemons: Gauge::default(),
            tickets: Gauge::default(),
            oldest_ticket: Seconds::default(),
            commands: Gauge::default(),
            oldest_command: Seconds::default(),
            events: Gauge::default(),
            oldest_event: Seconds::default(),
            messages_waiting: Gauge::default(),
            messages_queued: Gauge::default(),
            oldest_message: Seconds::default(),
            paused: Gauge::default(),
        };
        let mut registry = meters.registry();
        let held = "Accounts that are not deleted, by status; held ones by reason, too";
        registry.register("paird_fleet_accounts", held, fleet.accounts.clone());
        for (name, help, gauge) in [
            ("paird_fleet_daemons", "Daemons with a live lease", &fleet.daemons),
            ("paird_fleet_unlink_tickets", "Device entries that must leave a phone", &fleet.tickets),
            ("paird_fleet_commands_open", "Commands that have not ended", &fleet.commands),
            ("paird_fleet_events_unsent", "Events that were not sent yet", &fleet.events),
            ("paird_fleet_messages_waiting", "Messages that cannot be read yet", &fleet.messages_waiting),
            (
                "paird_fleet_messages_queued",
                "Messages that are to be sent; 100000 stands for more",
                &fleet.messages_queued,
            ),
            ("paird_fleet_sending_paused", "Accounts that send nothing to new chats for now", &fleet.paused),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, gauge) in [
            ("paird_fleet_figures_age", "Since the database was last asked for these figures", &fleet.age),
            ("paird_fleet_oldest_unlink_age", "Age of the oldest unlink ticket", &fleet.oldest_ticket),
            ("paird_fleet_oldest_command_age", "Age of the oldest command that has not ended", &fleet.oldest_command),
            ("paird_fleet_oldest_event_age", "Age of the oldest event that was not sent", &fleet.oldest_event),
            (
                "paird_fleet_oldest_message_age",
                "How long a message of a connected account has been due and not sent, without those to new chats that wait",
                &fleet.oldest_message,
            ),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        }
        drop(registry);
        fleet
    }

    /// Asks the database; without an answer the figures stay and get older.
    pub(super) async fn read(&self, pool: &Pool) {
        // Concurrent scrapes wait here and share the answer.
        let mut asked_at = self.asked_at.lock().await;
        if asked_at.is_none_or(|at| at.elapsed() >= FRESH) {
            self.ask_now(pool).await;
            *asked_at = Some(Instant::now());
        }
        let last = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.age.set(last.elapsed().as_secs_f64());
    }

    async fn ask_now(&self, pool: &Pool) {
        match tokio::time::timeout(SURVEY_TIMEOUT, ask(pool)).await {
            Ok(Ok((figures, accounts))) => {
                self.show(&figures, accounts);
                *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            }
            Ok(Err(why)) => debug!(%why, "fleet metrics query failed"),
            Err(_) => debug!("fleet metrics query timed out"),
        }
    }

    fn show(&self, figures: &FleetFigures, accounts: Vec<(Condition, i64)>) {
        self.daemons.set(figures.daemons);
        self.tickets.set(figures.tickets);
        self.oldest_ticket.set(figures.oldest_ticket_secs);
        self.commands.set(figures.commands);
        self.oldest_command.set(figures.oldest_command_secs);
        self.events.set(figures.events);
        self.oldest_event.set(figures.oldest_event_secs);
        self.messages_waiting.set(figures.messages_waiting);
        self.messages_queued.set(figures.messages_queued);
        self.oldest_message.set(figures.oldest_message_secs);
        self.paused.set(figures.sending_paused);
        self.accounts.clear();
        let mut by_status = BTreeMap::new();
        for (condition, count) in accounts {
            *by_status.entry(condition.status.clone()).or_default() += count;
            // Several unknown texts map to the same condition.
            self.accounts.get_or_create(&condition).inc_by(count);
        }
        *self.by_status.lock().unwrap_or_else(PoisonError::into_inner) = by_status;
    }

    /// `None` if the database did not answer lately.
    pub(super) fn as_of_now(&self) -> Option<FleetFiguresOfThen> {
        let age = self.read_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        (age < SURVEY_TIMEOUT + FRESH).then(|| FleetFiguresOfThen {
            by_status: self.by_status.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            daemons: self.daemons.get(),
            open_tickets: self.tickets.get(),
            open_commands: self.commands.get(),
            queued_messages: self.messages_queued.get(),
            unsent_events: self.events.get(),
        })
    }
}

async fn ask(pool: &Pool) -> Result<(FleetFigures, Vec<(Condition, i64)>), StoreError> {
    let database = connection(pool).await?;
    let figures = bounded(read_fleet_figures().bind(&database).one()).await?;
    let accounts = bounded(count_accounts_by_condition().bind(&database).all()).await?;
    let counted = |row: paird_sql::queries::metrics::AccountsByCondition| {
        // An arbitrary text in the column must not create a series.
        let reason =
            if row.reason.is_empty() { "" } else { Reason::parse(&row.reason).unwrap_or(Reason::Unknown).as_str() };
        (Condition { status: row.status, reason }, row.accounts)
    };
    Ok((figures, accounts.into_iter().map(counted).collect()))
}
