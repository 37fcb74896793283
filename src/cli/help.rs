//! Longer texts of the help.

use clap::builder::StyledStr;

use super::exit;
use crate::config;

pub(super) const PASSKEY: &str = "\
Without --response and --confirm it prints what WhatsApp asks: the options for the browser's
navigator.credentials.get(). Answer with the credential that it returns, as JSON:
  paird passkey \"front desk\" --response answer.json
  … | paird passkey \"front desk\" --response -";

pub(super) const SEND: &str = "\
Without --wait it is done when the message is queued. With --wait it ends when WhatsApp has the message
(exit code 0), or when it failed (1) or was cancelled (6); Ctrl-C stops waiting, not the message.
To repeat a send that may have gone through, give both the same --key: that is one message.
  paird send \"front desk\" \"+43 660 1234567\" \"Your table is free\" --wait
  paird send \"front desk\" 120363000000000001@g.us - < minutes.txt --key minutes-17";

pub(super) const MESSAGES: &str = "\
With --follow each message is printed once: when it can be read, or when it was sent or has failed. A database
that restarts in between does not change that. To go on where an earlier run ended, give the id of its last message:
  paird messages \"front desk\" --json --follow --after 4711";

pub(super) const STATUS: &str = "\
In a terminal the table is clipped to its width; in a pipe and with --json it is whole. For example:
  paird status --status held,reconnecting --sort since
  paird status --search \"0660 123\" --watch";

pub(super) const COMPLETIONS: &str = "\
The scripts ask this program: labels and ids are completed, too. For example:
  bash  source <(paird completions bash)       or > ~/.local/share/bash-completion/completions/paird
  zsh   source <(paird completions zsh)        or > \"${fpath[1]}/_paird\"
  fish  paird completions fish | source        or > ~/.config/fish/completions/paird.fish";

/// Shown below the list of commands: how to begin, and where to read on.
pub(super) const BEGIN: &str = "\
To begin:
  paird init                          whether it can run here, and what to do next
  paird serve                         in one terminal, or as a system service
  paird accounts add \"front desk\"     in another
  paird pair \"front desk\"             draws the QR that the phone scans
  paird watch                         the whole fleet, live
  paird doctor                        when something is odd

`paird help serve` lists the settings, `paird help exit-codes` the exit codes. With --json, stdout is
one JSON document, or one a line for pair, events --follow, messages --follow and watch; errors are JSON on stderr.";

pub(super) fn settings() -> StyledStr {
    config::settings_help().into()
}

pub(super) fn exit_codes() -> StyledStr {
    exit::table().into()
}
