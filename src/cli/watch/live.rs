//! The live view: draws when something happens, and gives the terminal back on every way out.

use ratatui::DefaultTerminal;
use ratatui::crossterm::style::{Colored, force_color_output};
use ratatui::widgets::TableState;
use tokio::signal::unix::{SignalKind, signal};

use super::fleet::{Fleet, FleetPoller};
use super::keyboard::{self, Action};
use super::screen;
use crate::cli::fleet_filter::FleetFilter;

pub(super) async fn run(mut poller: FleetPoller<'_>) -> anyhow::Result<()> {
    let fleet = poller.poll().await?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A QR in the colours of the theme may be light on dark, which phones do not read;
    // so NO_COLOR cannot be meant for it. Everything else is drawn without.
    let is_plain = Colored::ansi_color_disabled();
    force_color_output(true);
    let terminal = TerminalGuard::enter()?;
    let mut view = View { terminal, fleet, away: None, chosen: TableState::default(), is_plain };
    let mut actions = keyboard::actions();
    loop {
        view.draw(&poller.filter)?;
        tokio::select! {
            action = actions.recv() => match action {
                Some(Action::Quit) | None => return Ok(()),
                Some(Action::Sort) => poller.filter.sort = poller.filter.sort.next(),
                Some(action) => {
                    view.apply(action);
                    continue;
                }
            },
            () = poller.until_changed() => {}
            _ = terminate.recv() => return Ok(()),
        }
        match poller.poll().await {
            Ok(fleet) => view.see(fleet),
            Err(why) => view.away = Some(format!("{why:#}; trying again")),
        }
    }
}

struct View {
    terminal: TerminalGuard,
    fleet: Fleet,
    away: Option<String>,
    chosen: TableState,
    is_plain: bool,
}

impl View {
    fn draw(&mut self, filter: &FleetFilter) -> std::io::Result<()> {
        let Self { terminal, fleet, away, chosen, is_plain } = self;
        terminal.0.draw(|frame| screen::draw(frame, fleet, filter, away.as_deref(), chosen, *is_plain))?;
        Ok(())
    }

    /// Keeps the selected account selected, even if its row has moved.
    fn see(&mut self, fleet: Fleet) {
        let id = self.chosen.selected().and_then(|place| self.fleet.accounts.get(place)).map(|account| account.id);
        self.chosen.select(id.and_then(|id| fleet.accounts.iter().position(|account| account.id == id)));
        self.fleet = fleet;
        self.away = None;
    }

    fn apply(&mut self, action: Action) {
        let last = self.fleet.accounts.len().checked_sub(1);
        let place = match (action, last) {
            (Action::Quit | Action::Redraw | Action::Sort, _) | (_, None) => return,
            (Action::First, Some(_)) => 0,
            (Action::Last, Some(last)) => last,
            (Action::Move(by), Some(last)) => match self.chosen.selected() {
                Some(place) => place.saturating_add_signed(by).min(last),
                None => 0,
            },
        };
        self.chosen.select(Some(place));
    }
}

/// The terminal, raw and on its other screen, until it is dropped; a panic gives it
/// back, too.
struct TerminalGuard(DefaultTerminal);

impl TerminalGuard {
    fn enter() -> std::io::Result<Self> {
        ratatui::try_init().map(Self)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
