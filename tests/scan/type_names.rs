//! One name, one meaning: no two public types of the daemon and its machines are called
//! the same.

use std::collections::BTreeMap;

use super::{Source, product};

/// What each machine has one of, and calls by the same word.
const PER_MACHINE: [(&str, &str); 4] = [
    ("Input", "what a machine takes"),
    ("Effect", "what a machine orders"),
    ("State", "what a machine is in"),
    ("Answer", "what a machine was told on its question"),
];

/// Public types by their names, each with where it is declared.
fn public_types(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        for (number, line) in source.code() {
            if let Some(name) = public_type(line) {
                types.entry(name.to_owned()).or_default().push(format!("{}:{number}", source.path));
            }
        }
    }
    types
}

fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    // Of a crate, a folder or a module: others name it, too.
    let rest = if rest.starts_with('(') { rest.split_once(')')?.1 } else { rest };
    let rest = rest.strip_prefix(' ')?;
    let name = ["struct ", "enum ", "trait ", "type ", "union "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

fn shared_names(sources: &[Source]) -> Vec<String> {
    let types = public_types(sources).into_iter();
    let shared = types.filter(|(name, places)| places.len() > 1 && !PER_MACHINE.iter().any(|(known, _)| known == name));
    shared.map(|(name, places)| format!("{name} is {}", places.join(" and "))).collect()
}

#[test]
fn no_two_public_types_have_one_name() {
    let shared = shared_names(&product());
    assert!(shared.is_empty(), "\n{}\n", shared.join("\n"));

    let two = |first: &str, second: &str| {
        shared_names(&[Source::new("src/a.rs", first), Source::new("actors/src/b.rs", second)])
    };
    assert_eq!(
        two("pub struct Settings {", "    pub enum Settings {"),
        ["Settings is src/a.rs:1 and actors/src/b.rs:1"]
    );
    assert_eq!(two("pub type Answers<T> = Vec<T>;", "pub trait Answers: Send {").len(), 1);
    assert_eq!(two("pub(super) struct Settings {", "pub(crate) enum Settings {").len(), 1);
    assert_eq!(two("pub(in crate::cli) struct Settings {", "pub type Settings = u8;").len(), 1);
    let simulated = Source::new("actors/src/simulation/world.rs", "pub struct Settings {");
    assert_eq!(shared_names(&[Source::new("src/a.rs", "pub struct Settings {"), simulated]).len(), 1);
    assert!(two("pub struct Settings {", "struct Settings {").is_empty(), "one of them is private");
    assert!(two("pub(super) fn settings() {", "public struct Settings {").is_empty());
    assert!(two("pub enum Input {", "pub enum Input {").is_empty());
    assert!(two("pub struct Settings {", "pub struct SettingsError;").is_empty());
}

#[test]
fn each_exception_of_the_type_names_is_needed() {
    let types = public_types(&product());
    for (name, why) in PER_MACHINE {
        assert!(types.get(name).is_some_and(|places| places.len() > 1), "{name} ({why}) is one type by now");
    }
}
