//! Draws the fleet on a screen of any size.

use chrono::TimeDelta;
use paird_sql::queries::cli::WatchedAccount;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, TableState};

use super::fleet::Fleet;
use crate::cli::accounts::has_several;
use crate::qr::{self, Modules};

/// Black and white of the fixed colour cube: the first sixteen colours are the theme's.
const INK: Style = Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231));
/// A narrower table would show nothing useful.
const LEAST_TABLE_WIDTH: u16 = 46;
const LEAST_TABLE_HEIGHT: u16 = 4;
/// The line above a QR: its account and how long it is valid.
const CAPTION: u16 = 1;

/// Without colours where they are not wanted, but for the QR: a phone needs its own two.
pub(super) fn draw(frame: &mut Frame<'_>, fleet: &Fleet, away: Option<&str>, chosen: &mut TableState, is_plain: bool) {
    let areas = Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]);
    let [top, middle, bottom] = areas.areas(frame.area());
    frame.render_widget(header(fleet, away), top);
    frame.render_widget(Line::from("q quits   ↑↓ choose an account").style(Modifier::DIM), bottom);
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

fn header<'a>(fleet: &Fleet, away: Option<&'a str>) -> Line<'a> {
    if let Some(away) = away {
        return Line::from(away).style(Color::Red);
    }
    let mut spans = vec![Span::from(match fleet.accounts.len() {
        1 => "1 account".to_owned(),
        count => format!("{count} accounts"),
    })];
    for (status, count) in fleet.counts() {
        spans.push(Span::styled(format!("  {count} {status}"), colour(status)));
    }
    spans.push(match fleet.daemons {
        0 => Span::styled("  no daemon runs: start paird serve", Color::Red),
        _ if fleet.taking == 0 => Span::styled("  drained: paird drain --undo", Color::Yellow),
        1 => Span::from("  1 daemon"),
        daemons => Span::from(format!("  {daemons} daemons")),
    });
    Line::from(spans)
}

fn table(frame: &mut Frame<'_>, fleet: &Fleet, chosen: &mut TableState, area: Rect) {
    if fleet.accounts.is_empty() {
        return frame.render_widget("no accounts yet: paird accounts add LABEL", area);
    }
    // On a narrow screen the less important columns are dropped first.
    let columns = match area.width {
        0..46 => 3,
        46..62 => 4,
        62..78 => 5,
        78..92 => 6,
        _ if has_several(fleet.accounts.iter().map(|account| account.operator_id)) => 7,
        _ => 6,
    };
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(12),
        Constraint::Length(18),
        Constraint::Length(6),
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(8),
    ];
    let titles = ["LABEL", "STATUS", "REASON", "SINCE", "PHONE", "NEXT TRY", "OPERATOR"];
    let rows = fleet
        .accounts
        .iter()
        .map(|account| Row::new(cells(account).into_iter().take(columns)).style(colour(&account.status)));
    let table = Table::new(rows, widths.into_iter().take(columns))
        .header(Row::new(titles.into_iter().take(columns)).style(Modifier::BOLD))
        .row_highlight_style(Modifier::REVERSED);
    frame.render_stateful_widget(table, area, chosen);
}

fn cells(account: &WatchedAccount) -> [String; 7] {
    let since = short(account.database_now - account.status_since);
    let retry = account.next_retry_at.map(|at| format!("in {}", short(at - account.database_now)));
    let phone = account.phone_number.as_ref().map(|digits| format!("+{digits}"));
    [
        account.label.clone(),
        account.status.clone(),
        account.status_reason.clone(),
        since,
        phone.unwrap_or_default(),
        retry.unwrap_or_default(),
        // Its beginning tells operators apart; `paird status` has all of it.
        account.operator_id.to_string().chars().take(8).collect(),
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

/// `45s`, `12m`, `7h`, `3d`.
fn short(time: TimeDelta) -> String {
    match time.num_seconds().max(0) {
        secs @ 0..120 => format!("{secs}s"),
        secs @ 120..7_200 => format!("{}m", secs / 60),
        secs @ 7_200..172_800 => format!("{}h", secs / 3600),
        secs => format!("{}d", secs / 86_400),
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
        if area.width < self.width() || area.height < self.height() { (40, 3) } else { (self.width(), self.height()) }
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

    fn drawn(fleet: &Fleet, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, fleet, None, &mut TableState::default(), false)).unwrap();
        terminal.backend().to_string()
    }

    fn pairing() -> Fleet {
        let payload = paird_actors::domain::Secret::new("2@".repeat(120));
        let mut pairing = account("lobby", "pending");
        pairing.last_qr_png = Some(qr::png_base64(&payload).unwrap());
        pairing.pair_deadline = Some(pairing.database_now + TimeDelta::seconds(272));
        Fleet { accounts: vec![account("desk", "connected"), pairing], daemons: 1, taking: 1 }
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
            terminal.draw(|frame| draw(frame, &fleet, None, &mut TableState::default(), is_plain)).unwrap();
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
    fn times_are_printed_in_few_letters() {
        let short = |secs| short(TimeDelta::seconds(secs));
        assert_eq!([short(-3), short(119), short(120), short(7_200), short(172_800)], ["0s", "119s", "2m", "2h", "2d"]);
    }
}
