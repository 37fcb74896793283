//! A bar or a spinner on stderr for what takes its time, and only if somebody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts up to a known total. Hidden when stderr is no terminal.
pub(super) fn bar(total: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
    started(ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()), what, style)
}

/// Turns while nobody knows how long it takes.
pub(super) fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let spinner = started(spinner, what, style);
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

fn started(bar: ProgressBar, what: &str, style: Result<ProgressStyle, indicatif::style::TemplateError>) -> ProgressBar {
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}
