//! A progress bar or spinner on stderr, only if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts up to a known total. Hidden if stderr is not a terminal.
pub(super) fn bar(total: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
    started(ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()), what, style)
}

/// For work of unknown length.
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
