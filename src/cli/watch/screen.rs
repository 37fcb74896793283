//! Draws the fleet on a screen of any size.

use std::borrow::Cow;

use chrono::TimeDelta;
use paird_sql::queries::cli::WatchedAccount;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, TableState};

use super::fleet::Fleet;
use crate::cli::accounts::has_several;
use crate::cli::fleet_filter::FleetFilter;
use crate::cli::out::{age, clipped, fitted, natural};
use crate::escape::escaped;
use crate::qr::{self, Modules};

/// Black and white of the fixed colour cube: the first sixteen colours are the theme's.
const INK: Style = Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231));
/// A narrower table would show nothing useful.
const LEAST_TABLE_WIDTH: u16 = 46;
const LEAST_TABLE_HEIGHT: u16 = 4;
/// Between two columns.
const GAP: usize = 2;
/// The line above a QR: its account and how long it is valid.
const CAPTION: u16 = 1;

/// Without colours where they are not wanted, but for the QR: a phone needs its own two.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    fleet: &Fleet,
    filter: &FleetFilter,
    away: Option<&str>,
    chosen: &mut TableState,
    is_plain: bool,
) {
    let header = header(fleet, filter, away, usize::from(frame.area().width));
    let lines = u16::try_from(header.len()).unwrap_or(1);
    let areas = Layout::vertical([Constraint::Length(lines), Constraint::Fill(1), Constraint::Length(1)]);
    let [top, middle, bottom] = areas.areas(frame.area());
    frame.render_widget(Paragraph::new(header), top);
    let keys = format!("q quits   ↑↓ choose an account   s sorts otherwise (now by {})", filter.sort.name());
    frame.render_widget(Line::from(keys).style(Modifier::DIM), bottom);
    let shown = fleet.shown(chosen.selected()).map(|account| (account, Picture::of(account)));
    let (rest, spot) = match &shown {
        Some((_, picture)) => {
            let (width, height) = picture.room(middle);
            arrange(middle, width, height)
        }
        None => (Some(middle), middle),
    };
    if let Some(rest) = rest {
        table(frame, fleet, chosen, rest);
    }
    if is_plain {
        for cell in &mut frame.buffer_mut().content {
            (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
        }
    }
    if let Some((account, picture)) = shown {
        picture.draw(frame, account, spot);
    }
}

/// Where the table and the picture go: beside each other, below, or the picture alone.
fn arrange(area: Rect, width: u16, height: u16) -> (Option<Rect>, Rect) {
    if area.width >= width + 1 + LEAST_TABLE_WIDTH && area.height >= height {
        let sides = Layout::horizontal([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(width)]);
        let [left, _, right] = sides.areas(area);
        return (Some(left), right);
    }
    if area.height >= height + LEAST_TABLE_HEIGHT {
        let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        return (Some(above), below);
    }
    (None, area)
}

/// On a narrow screen it takes two lines: the daemons are not cut off.
fn header<'a>(fleet: &Fleet, filter: &FleetFilter, away: Option<&'a str>, width: usize) -> Vec<Line<'a>> {
    if let Some(away) = away {
        return vec![Line::from(away).style(Color::Red)];
    }
    let counted = match fleet.all().count() {
        1 => "1 account".to_owned(),
        count => format!("{count} accounts"),
    };
    let mut spans = vec![Span::from(counted)];
    if filter.is_set() {
        spans.push(Span::styled(format!("{} shown", fleet.accounts.len()), Modifier::BOLD));
    }
    spans.extend(
        fleet.counts().into_iter().map(|(status, count)| Span::styled(format!("{count} {status}"), colour(status))),
    );
    spans.push(match fleet.daemons {
        0 => Span::styled("no daemon runs: start paird serve", Color::Red),
        _ if fleet.taking == 0 => Span::styled("drained: paird drain --undo", Color::Yellow),
        1 => Span::from("1 daemon"),
        daemons => Span::from(format!("{daemons} daemons")),
    });
    let mut lines: Vec<Line<'a>> = Vec::new();
    for span in spans {
        match lines.last_mut() {
            Some(line) if line.width() + GAP + span.width() <= width => {
                line.push_span(" ".repeat(GAP));
                line.push_span(span);
            }
            Some(_) | None => lines.push(Line::from(span)),
        }
    }
    lines
}

fn table(frame: &mut Frame<'_>, fleet: &Fleet, chosen: &mut TableState, area: Rect) {
    if fleet.accounts.is_empty() {
        let nothing = match fleet.others.len() {
            0 => "no accounts yet: paird accounts add LABEL".to_owned(),
            count => format!("none of {count} accounts is like that now"),
        };
        return frame.render_widget(nothing, area);
    }
    let is_shared = has_several(fleet.all().map(|account| account.operator_id));
    let titles = ["LABEL", "STATUS", "REASON", "SINCE", "PHONE", "NEXT TRY", "OPERATOR"];
    let titles = titles.get(..if is_shared { 7 } else { 6 }).unwrap_or(&titles);
    let rows: Vec<Vec<Cow<'_, str>>> = fleet.accounts.iter().map(|account| Vec::from(cells(account))).collect();
    let wanted: Vec<usize> = titles.iter().enumerate().map(|(column, title)| natural(&rows, column, title)).collect();
    // On a narrow screen the last columns give way.
    let widths = fitted(&wanted, GAP, usize::from(area.width));
    let shown = widths.len();
    let drawn = rows.into_iter().zip(&fleet.accounts).map(|(row, account)| {
        let cells = row.into_iter().zip(&widths).map(|(cell, width)| clipped(&cell, *width).into_owned());
        Row::new(cells.collect::<Vec<_>>()).style(colour(&account.status))
    });
    let columns = widths.iter().map(|width| Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX)));
    let table = Table::new(drawn.collect::<Vec<_>>(), columns.collect::<Vec<_>>())
        .column_spacing(u16::try_from(GAP).unwrap_or(1))
        .header(Row::new(titles.iter().take(shown).copied()).style(Modifier::BOLD))
        .row_highlight_style(Modifier::REVERSED);
    frame.render_stateful_widget(table, area, chosen);
}

fn cells(account: &WatchedAccount) -> [Cow<'_, str>; 7] {
    let since = age(account.database_now - account.status_since);
    let retry = account.next_retry_at.map(|at| format!("in {}", age(at - account.database_now)));
    let phone = account.phone_number.as_ref().map(|digits| format!("+{digits}"));
    [
        escaped(&account.label),
        Cow::Borrowed(account.status.as_str()),
        escaped(&account.status_reason),
        Cow::Owned(since),
        Cow::Owned(phone.unwrap_or_default()),
        Cow::Owned(retry.unwrap_or_default()),
        // Its beginning tells operators apart; `paird status` has all of it.
        Cow::Owned(account.operator_id.to_string().chars().take(8).collect()),
    ]
}

fn colour(status: &str) -> Style {
    match status {
        "connected" => Style::new().fg(Color::Green),
        "pending" => Style::new().fg(Color::Cyan),
        "reconnecting" => Style::new().fg(Color::Yellow),
        "held" => Style::new().fg(Color::Red),
        _ => Style::new().add_modifier(Modifier::DIM),
    }
}

/// The QR or code for the phone.
enum Picture {
    Qr(Modules),
    Code(String),
    Unreadable,
}

impl Picture {
    fn of(account: &WatchedAccount) -> Self {
        match (&account.pair_code, &account.last_qr_png) {
            (Some(code), _) => Self::Code(code.clone()),
            (None, Some(png)) => qr::modules_of(png).map_or(Self::Unreadable, Self::Qr),
            (None, None) => Self::Unreadable,
        }
    }

    fn width(&self) -> u16 {
        match self {
            Self::Qr(modules) => u16::try_from(modules.size().0).unwrap_or(u16::MAX),
            Self::Code(_) | Self::Unreadable => 40,
        }
    }

    fn height(&self) -> u16 {
        match self {
            Self::Qr(modules) => u16::try_from(modules.size().1).unwrap_or(u16::MAX).saturating_add(CAPTION),
            Self::Code(_) | Self::Unreadable => 3,
        }
    }

    /// The room it takes here. A QR that does not fit is replaced by a text.
    fn room(&self, area: Rect) -> (u16, u16) {
        if area.width < self.width() || area.height < self.height() { (40, 5) } else { (self.width(), self.height()) }
    }

    fn draw(self, frame: &mut Frame<'_>, account: &WatchedAccount, area: Rect) {
        let left = account.pair_deadline.map_or(TimeDelta::zero(), |deadline| deadline - account.database_now);
        let left = left.num_seconds().max(0);
        let caption = format!("{}: {}:{:02} left", account.label, left / 60, left % 60);
        let mut lines = vec![Line::from(caption).style(Modifier::BOLD)];
        let (width, height) = (self.width(), self.height());
        match self {
            Self::Qr(_) if area.width < width || area.height < height => {
                let (needed, there) = (height + 2, area.height + 2);
                lines.push(Line::from(format!("the QR needs {width} columns and {needed} lines;")));
                lines.push(Line::from(format!("here are {} and {there}: enlarge it", area.width)));
                lines.push(Line::from("or see it elsewhere: paird console, or"));
                lines.push(Line::from("paird pair LABEL --png FILE"));
            }
            // The style belongs to the letters: the rest of the line is the terminal's.
            Self::Qr(modules) => {
                lines.extend(modules.lines().into_iter().map(|line| Line::from(Span::styled(line, INK))))
            }
            Self::Code(code) => lines.push(Line::from(format!("type {code} on the phone"))),
            Self::Unreadable => lines.push(Line::from("the picture on the row is not a QR of paird")),
        }
        frame.render_widget(Paragraph::new(lines), area);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::fleet::tests::account;
    use super::*;
    use crate::cli::fleet_filter::SortOrder;

    fn drawn(fleet: &Fleet, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let filter = FleetFilter::all(SortOrder::Status);
        terminal.draw(|frame| draw(frame, fleet, &filter, None, &mut TableState::default(), false)).unwrap();
        terminal.backend().to_string()
    }

    fn pairing() -> Fleet {
        let payload = paird_actors::domain::Secret::new("2@".repeat(120));
        let mut pairing = account("lobby", "pending");
        pairing.last_qr_png = Some(qr::png_base64(&payload).unwrap());
        pairing.pair_deadline = Some(pairing.database_now + TimeDelta::seconds(272));
        let accounts = vec![account("desk", "connected"), pairing];
        Fleet { accounts, others: Vec::new(), daemons: 1, taking: 1 }
    }

    #[test]
    fn every_size_of_a_terminal_can_be_drawn_on() {
        let pairing = pairing();
        for width in 1..140 {
            for height in [1, 2, 3, 5, 24, 30, 36, 37, 38, 39, 40, 41, 42, 60] {
                drawn(&pairing, width, height);
                drawn(&Fleet::default(), width, height);
            }
        }
    }

    #[test]
    fn the_qr_is_drawn_where_it_fits_or_the_size_is_stated() {
        let picture = Picture::of(&pairing().accounts[1]);
        let (columns, lines) = (picture.width(), picture.height());
        let wide = drawn(&pairing(), columns + 47, lines + 2);
        assert!(wide.contains("desk") && wide.contains("lobby: 4:32 left") && wide.contains('█'), "{wide}");
        let tall = drawn(&pairing(), columns, lines + 2 + LEAST_TABLE_HEIGHT);
        assert!(tall.contains("desk") && tall.contains('█'), "{tall}");
        let alone = drawn(&pairing(), columns, lines + 2);
        assert!(!alone.contains("desk") && alone.contains('█'), "{alone}");
        let small = drawn(&pairing(), 80, 24);
        assert!(small.contains("desk") && small.contains("enlarge it") && !small.contains('█'), "{small}");
    }

    #[test]
    fn without_colours_only_the_qr_has_its_own() {
        let fleet = pairing();
        let coloured = |is_plain: bool| {
            let mut terminal = Terminal::new(TestBackend::new(140, 50)).unwrap();
            let filter = FleetFilter::all(SortOrder::Status);
            terminal.draw(|frame| draw(frame, &fleet, &filter, None, &mut TableState::default(), is_plain)).unwrap();
            let cells = terminal.backend().buffer().content.clone();
            let is_ink = |colour: Color| [Color::Reset, Color::Indexed(16), Color::Indexed(231)].contains(&colour);
            let others = cells.iter().filter(|cell| !is_ink(cell.fg) || !is_ink(cell.bg)).count();
            (others > 0, cells.iter().any(|cell| cell.bg == Color::Indexed(231)))
        };
        assert_eq!(coloured(false), (true, true));
        assert_eq!(coloured(true), (false, true));
    }

    #[test]
    fn a_drained_fleet_and_its_operators_are_told() {
        let mut fleet = pairing();
        assert!(!drawn(&fleet, 180, 50).contains("OPERATOR"));
        fleet.accounts[0].operator_id = uuid::Uuid::from_u128(0xabcd_ef01 << 96);
        fleet.taking = 0;
        let screen = drawn(&fleet, 180, 50);
        assert!(screen.contains("OPERATOR") && screen.contains("abcdef01"), "{screen}");
        assert!(screen.contains("drained: paird drain --undo"), "{screen}");
    }

    #[test]
    fn a_reason_has_the_room_that_a_short_label_leaves() {
        let mut fleet = pairing();
        fleet.accounts[0].status_reason = "socket_lost: whatsapp fell silent".to_owned();
        let screen = drawn(&fleet, 150, 24);
        assert!(screen.contains("socket_lost: whatsapp fell silent"), "{screen}");
        fleet.accounts[0].label = "a branch with a rather long name, ".repeat(3);
        let screen = drawn(&fleet, 60, 24);
        for told in ["a branch", "…", "connected", "90s"] {
            assert!(screen.contains(told), "{told}: {screen}");
        }
    }

    #[test]
    fn the_daemons_are_told_on_a_narrow_screen_too() {
        let mut accounts: Vec<_> = ["held", "pending", "reconnecting", "connected", "unpaired"]
            .into_iter()
            .map(|status| account("desk", status))
            .collect();
        let others = accounts.split_off(3);
        let fleet = Fleet { accounts, others, daemons: 2, taking: 2 };
        let mut terminal = Terminal::new(TestBackend::new(40, 12)).unwrap();
        let filter = FleetFilter::only(uuid::Uuid::nil());
        terminal.draw(|frame| draw(frame, &fleet, &filter, None, &mut TableState::default(), false)).unwrap();
        let screen = terminal.backend().to_string();
        for told in ["5 accounts  3 shown", "1 unpaired", "2 daemons"] {
            assert!(screen.contains(told), "{told}: {screen}");
        }
    }
}
