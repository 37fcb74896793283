//! The keys of the live view.

use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

/// How soon the thread ends after the receiver was dropped.
const KEY_TIMEOUT: Duration = Duration::from_millis(100);
const PAGE: isize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Quit,
    /// Down so many accounts; up if negative.
    Move(isize),
    First,
    Last,
    /// In the next order.
    Sort,
    /// Draw it again: the terminal has another size.
    Redraw,
}

/// Reads keys on a thread of its own, since reading blocks, until the receiver is dropped.
pub(super) fn actions() -> mpsc::Receiver<Action> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        while !sender.is_closed() {
            match event::poll(KEY_TIMEOUT) {
                Ok(false) => continue,
                Ok(true) => {}
                // The terminal is gone.
                Err(_) => break,
            }
            let Ok(event) = event::read() else { break };
            if let Some(action) = action(&event)
                && sender.blocking_send(action).is_err()
            {
                break;
            }
        }
    });
    receiver
}

fn action(event: &Event) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_action(key),
        Event::Resize(_, _) => Some(Action::Redraw),
        Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a keyboard has many keys, and these are all that mean something")]
fn key_action(key: &KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        // Raw mode: the terminal sends the key instead of the signal.
        return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Action::Quit);
    }
    Some(match key.code {
        KeyCode::Char('q') | KeyCode::Esc => Action::Quit,
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Move(PAGE),
        KeyCode::PageUp => Action::Move(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Char('s') => Action::Sort,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn q_escape_and_control_c_quit_and_c_alone_does_not() {
        assert_eq!(pressed(KeyCode::Char('q'), KeyModifiers::NONE), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Esc, KeyModifiers::NONE), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::NONE), None);
    }
}
