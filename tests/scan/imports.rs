//! The pure machines import nothing but `domain`, the traits that they have (`machine`, and
//! `desk` if they have an actor), their own inner files and `std`: what they decide cannot
//! depend on a shell, a port or another machine. And actix is named in two files.

use super::{Source, names_any, nothing_breaks, without_strings};

/// The modules that decide, by the path of their first file without its ending.
const MACHINES: [&str; 10] = [
    "actors/src/domain",
    "actors/src/machine",
    "actors/src/account/lifecycle",
    "actors/src/account/author",
    "actors/src/connection",
    "actors/src/desk",
    "actors/src/supervisor/roster",
    "actors/src/unlink/saga",
    "actors/src/lease",
    "actors/src/outgoing",
];

/// An author writes for one machine.
const BESIDE: [(&str, &str); 1] = [("actors/src/account/author", "lifecycle")];

/// Crates of values.
const CRATES: [&str; 10] =
    ["std", "core", "serde", "serde_json", "strum", "thiserror", "uuid", "chrono", "crate", "super"];

fn machine_of(path: &str) -> Option<&'static str> {
    MACHINES
        .into_iter()
        .find(|machine| path.strip_prefix(machine).is_some_and(|rest| rest.starts_with('/') || rest == ".rs"))
}

fn foreign_imports(source: &Source) -> Vec<String> {
    let Some(machine) = machine_of(&source.path).filter(|_| !source.path.ends_with("tests.rs")) else {
        return Vec::new();
    };
    // How many `super` lead out of the machine's folder.
    let inner = source.path[machine.len()..].matches('/').count();
    let is_root = source.path.ends_with("/mod.rs") || inner == 0;
    let depth = if is_root { inner.saturating_sub(1) } else { inner };
    let mut broken = Vec::new();
    for (number, path) in imports(source) {
        if !is_allowed(machine, depth, &path) {
            broken.push(format!("{}:{number}: {path}", source.path));
        }
    }
    broken
}

fn is_allowed(machine: &str, depth: usize, path: &str) -> bool {
    let mut parts = path.split("::");
    let first = parts.next().unwrap_or_default();
    if first == "crate" {
        let own: Vec<&str> = machine.split('/').skip(2).collect();
        let rest: Vec<&str> = parts.collect();
        return matches!(rest.first(), Some(&("desk" | "domain" | "machine"))) || rest.starts_with(&own);
    }
    if first == "super" {
        let ups = 1 + parts.clone().take_while(|part| *part == "super").count();
        let target = path.split("::").nth(ups).unwrap_or_default();
        return ups <= depth || BESIDE.contains(&(machine, target));
    }
    // A module of its own, or a name from one, begins with none of a crate's names.
    CRATES.contains(&first) || !is_crate(first)
}

/// What the manifest of the machines' crate names, and what every crate has.
fn is_crate(name: &str) -> bool {
    const DEPENDENCIES: [&str; 9] =
        ["actix", "actix_rt", "async_trait", "futures_util", "proptest", "rand", "tokio", "tokio_util", "tracing"];
    DEPENDENCIES.contains(&name)
}

/// Every path that a `use` names, with its line; and every path of `crate` in the code.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let lines: Vec<(usize, String)> = source.code().map(|(number, line)| (number, without_strings(line))).collect();
    let mut found = Vec::new();
    let mut nth = 0;
    while let Some((number, line)) = lines.get(nth) {
        nth += 1;
        let trimmed = line.trim_start();
        let tree = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .find_map(|start| trimmed.strip_prefix(start));
        let Some(tree) = tree else {
            for (at, _) in line.match_indices("crate::") {
                let end = line[at..].find(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
                found.push((*number, line[at..].get(..end.unwrap_or(line.len() - at)).unwrap_or_default().to_owned()));
            }
            continue;
        };
        let mut whole = tree.to_owned();
        while !whole.contains(';') {
            let Some((_, more)) = lines.get(nth) else { break };
            whole.push(' ');
            whole.push_str(more.trim());
            nth += 1;
        }
        let whole = whole.split(';').next().unwrap_or_default().to_owned();
        found.extend(leaves(&whole).into_iter().map(|path| (*number, path)));
    }
    found
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(at) = tree.find('{') else { return vec![tree.split(" as ").next().unwrap_or_default().to_owned()] };
    let (prefix, rest) = tree.split_at(at);
    let inner = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut found = Vec::new();
    let (mut open, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 0 => {
                let item = inner[start..at].trim();
                if !item.is_empty() {
                    found.extend(leaves(item).into_iter().map(|leaf| format!("{prefix}{leaf}")));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_pure_machines_import_nothing_but_domain() {
    nothing_breaks(foreign_imports);

    for (path, bad) in [
        ("actors/src/unlink/saga/mod.rs", "use crate::supervisor::Ending;"),
        ("actors/src/unlink/saga/mod.rs", "use crate::{\n    account::lifecycle::jitter,\n    domain::Policy,\n};"),
        ("actors/src/unlink/saga/mod.rs", "use super::handle::UnlinkHandle;"),
        ("actors/src/account/lifecycle/mod.rs", "use crate::ports::Session;"),
        ("actors/src/account/lifecycle/linked.rs", "use super::super::handle::AccountHandle;"),
        ("actors/src/account/author/mod.rs", "    Claim(Vec<crate::ports::Session>),"),
        ("actors/src/account/author/mod.rs", "use super::handle::AccountHandle;"),
        ("actors/src/supervisor/roster/shares.rs", "use crate::fakes::FakeStore;"),
        ("actors/src/connection/run.rs", "use async_trait::async_trait;"),
        ("actors/src/outgoing/mod.rs", "use crate::connection::Outcome;"),
        ("actors/src/domain/change.rs", "use crate::connection::State;"),
    ] {
        assert_eq!(foreign_imports(&Source::new(path, bad)).len(), 1, "{path}: {bad}");
    }
    for (path, good) in [
        ("actors/src/unlink/saga/mod.rs", "use crate::domain::{Policy, TicketRecord};\nuse std::time::Duration;"),
        ("actors/src/account/lifecycle/linked.rs", "use super::{CommandInput, closing::AfterClose};"),
        ("actors/src/account/author/mod.rs", "use super::lifecycle::{Effect, Input};"),
        ("actors/src/supervisor/roster/shares.rs", "use super::Roster;\nuse crate::supervisor::roster::Slot;"),
        ("actors/src/connection/mod.rs", "mod run;\npub use run::Run;\nuse thiserror::Error;"),
        ("actors/src/account/effects.rs", "use crate::ports::Session;"),
    ] {
        assert_eq!(foreign_imports(&Source::new(path, good)), Vec::<String>::new(), "{path}: {good}");
    }
}

/// The shell of every machine that has an actor, and the supervisor.
const ACTORS: [&str; 2] = ["actors/src/shell.rs", "actors/src/supervisor/actor.rs"];

fn actix_outside_a_shell(source: &Source) -> Vec<String> {
    if !source.is_below("actors/src/") || ACTORS.contains(&source.path.as_str()) {
        return Vec::new();
    }
    source.where_broken(|line| names_any(line, &["actix", "actix_rt"]))
}

#[test]
fn only_the_shell_and_the_supervisor_name_actix() {
    nothing_breaks(actix_outside_a_shell);

    let line = "use actix::prelude::*;\n";
    for path in ["actors/src/account/effects.rs", "actors/src/unlink/handle.rs", "actors/src/supervisor/handle.rs"] {
        assert_eq!(actix_outside_a_shell(&Source::new(path, line)).len(), 1, "{path}");
    }
    assert!(actix_outside_a_shell(&Source::new("actors/src/shell.rs", line)).is_empty());
}
