//! `paird completions`: scripts that ask this program what a word may become, and its answers, which know the accounts.

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use paird_sql::queries::cli::ListedAccount;

use super::database::Database;
use super::exit::Exit;
use super::out::{self, Format};
use super::{Cli, accounts};
use crate::config::Config;
use crate::escape::{escaped, must_escape};

/// The shell's scripts set it to ask. Not `PAIRD_…`: it is no setting.
const ASKED_BY: &str = "_PAIRD_COMPLETE";
/// Somebody waits at the prompt: later there are no accounts to choose from.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The name of every argument that takes an account.
const ACCOUNT: &str = "LABEL|ID";

/// Readline quotes what a label needs, as it does for names of files; a zsh that loads the script at its first use
/// is answered then, too.
const BASH: &str = r#"
_paird_complete() {
    _clap_complete_paird "$@"
    local IFS=
    if [[ "${COMPREPLY[*]-}" == *[^[:alnum:]_./+,@%:=-]* ]]; then
        compopt -o filenames 2> /dev/null
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _paird_complete paird
else
    complete -o nospace -o bashdefault -F _paird_complete paird
fi
"#;
const ZSH: &str = r#"
if [[ "${funcstack[1]-}" == _paird ]]; then
    _clap_dynamic_completer_paird "$@"
fi
"#;

/// Answers a shell's script, if it was one that started this program.
pub(super) fn answer() -> Option<ExitCode> {
    let asked = CompleteEnv::with_factory(asked_command).var(ASKED_BY);
    let here = std::env::current_dir().ok();
    match asked.try_complete(std::env::args_os(), here.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        // A word that cannot be completed; what is said would stand in the middle of a line that is being typed.
        Err(_) => Some(ExitCode::FAILURE),
    }
}

pub(super) fn print(shell: Shell, format: Format) -> ExitCode {
    match script(shell) {
        Ok(script) => {
            out::raw(&script);
            ExitCode::SUCCESS
        }
        Err(why) => format.complain(Exit::Failed, format_args!("{why:#}")),
    }
}

fn script(shell: Shell) -> anyhow::Result<String> {
    let name = shell.to_string();
    let completer = Shells::builtins();
    let completer = completer.completer(&name).ok_or_else(|| anyhow::anyhow!("no completions for {name}"))?;
    let mut script = Vec::new();
    completer.write_registration(ASKED_BY, "paird", "paird", &program()?, &mut script)?;
    let mut script = String::from_utf8(script)?;
    match name.as_str() {
        "bash" => script.push_str(BASH),
        "zsh" => script.push_str(ZSH),
        _ => {}
    }
    Ok(script)
}

/// As it was called: by its name, or by a path that also holds in another directory.
fn program() -> anyhow::Result<String> {
    let called = std::env::args_os().next().unwrap_or_else(|| "paird".into());
    let called = std::path::PathBuf::from(called);
    if called.components().count() < 2 {
        return Ok(called.display().to_string());
    }
    Ok(std::path::absolute(called)?.display().to_string())
}

/// The commands, with accounts where one is asked for.
fn asked_command() -> Command {
    with_accounts(Cli::command())
}

fn with_accounts(command: Command) -> Command {
    let is_account =
        |arg: &Arg| arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str() == ACCOUNT));
    command
        .mut_args(|arg| if is_account(&arg) { arg.add(ArgValueCompleter::new(candidates)) } else { arg })
        .mut_subcommands(with_accounts)
}

fn candidates(begun: &OsStr) -> Vec<CompletionCandidate> {
    let accounts = listed().unwrap_or_default();
    let found = begun.to_str().map(|begun| matching(&accounts, begun)).unwrap_or_default();
    found
        .into_iter()
        .map(|(value, help)| CompletionCandidate::new(value).help(Some(escaped(&help).into_owned().into())))
        .collect()
}

/// `None` if they are not to be had in time.
fn listed() -> Option<Vec<ListedAccount>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let accounts = runtime.block_on(async {
        let config = Config::load().ok()?;
        let asked = async { Database::connect(&config, Format::Text).await.ok()?.accounts().await.ok() };
        tokio::time::timeout(TIMEOUT, asked).await.ok().flatten()
    });
    // A name that is still being resolved does not hold up the prompt.
    runtime.shutdown_background();
    accounts
}

/// What the word may become, and what that is: labels that begin so, without regard to case if none does otherwise,
/// or ids if there is no such label.
fn matching(accounts: &[ListedAccount], begun: &str) -> Vec<(String, String)> {
    let begun = unquoted(begun);
    let lower = begun.to_lowercase();
    // Neither fits into a line that a shell reads.
    let is_usable = |account: &&ListedAccount| !account.label.contains(must_escape) && !account.label.starts_with('-');
    let ways: [&dyn Fn(&str) -> bool; 2] =
        [&|label: &str| label.starts_with(&begun), &|label: &str| label.to_lowercase().starts_with(&lower)];
    for begins in ways {
        let named = accounts.iter().filter(is_usable).filter(|account| begins(&account.label));
        let mut named: Vec<_> = named.map(|account| (account.label.clone(), accounts::text(account))).collect();
        named.sort();
        named.dedup_by(|one, other| one.0 == other.0);
        if !named.is_empty() {
            return named;
        }
    }
    let identified = accounts.iter().filter(|account| account.id.to_string().starts_with(&lower));
    identified.map(|account| (account.id.to_string(), account.label.clone())).collect()
}

/// The word itself: shells hand it over as it was typed.
fn unquoted(typed: &str) -> String {
    let mut word = String::new();
    let mut letters = typed.trim_start_matches(['"', '\'']).chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            letter => word.push(letter),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::labels::tests::account;

    fn values(begun: &str) -> Vec<String> {
        let fleet = [
            account(0xabcd << 112, "front desk"),
            account(2, "front lobby"),
            account(3, "Shop"),
            account(4, "shop\n"),
            account(5, "-shop"),
            account(6, "Shop"),
        ];
        matching(&fleet, begun).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn labels_are_offered_as_they_are_and_ids_where_none_fits() {
        assert_eq!(values("fr"), ["front desk", "front lobby"]);
        assert_eq!(values(r"front\ d"), ["front desk"]);
        assert_eq!(values("\"front d"), ["front desk"]);
        assert_eq!(values("sh"), ["Shop"], "each once, and in any case");
        assert_eq!(values("abcd"), ["abcd0000-0000-0000-0000-000000000000"]);
        assert_eq!(values(""), ["Shop", "front desk", "front lobby"]);
        assert!(values("nosuch").is_empty());
    }

    #[test]
    fn every_argument_that_is_an_account_is_completed() {
        fn count(command: &Command) -> usize {
            let here = command.get_arguments().filter(|arg| arg.get::<ArgValueCompleter>().is_some()).count();
            here + command.get_subcommands().map(count).sum::<usize>()
        }
        let mut command = asked_command();
        command.build();
        assert!(count(&command) > 20, "{}", count(&command));
    }
}
