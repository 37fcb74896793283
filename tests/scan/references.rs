//! References in documents and comments lead somewhere: a file that is named is in the
//! repository, and a link's anchor is a heading.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Source, root};

/// Names that end like a file of the repository and are none, each with what they are.
const ELSEWHERE: [(&str, &str); 2] =
    [("paird.toml", "the settings of whoever runs paird"), (".deploy/secrets", "made by .deploy/prepare")];

/// What makes a word the name of a file.
const ENDINGS: [&str; 12] =
    [".rs", ".md", ".sql", ".js", ".mjs", ".toml", ".yaml", ".json", ".sh", ".html", ".css", ".service"];
/// What makes a word a path, whatever its ending.
const FOLDERS: [&str; 8] = ["src/", "actors/", "sql/", "tests/", ".ci/", ".deploy/", ".github/", ".config/"];

/// What is made by a build, a tool or a daemon, and not looked into.
const MADE: [&str; 7] = ["target", ".git", "node_modules", "generated", "package-lock.json", "data", "secrets"];

/// What a reference may lead to.
struct Repository {
    /// Files and folders, `/`-separated and relative to the root.
    paths: BTreeSet<String>,
    /// The anchors of each document.
    anchors: BTreeMap<String, BTreeSet<String>>,
}

impl Repository {
    fn of(sources: &[Source]) -> Self {
        let mut paths = BTreeSet::new();
        for source in sources {
            paths.extend(Path::new(&source.path).ancestors().map(slashed));
        }
        let documents = sources.iter().filter(|source| is_document(source));
        let anchors = documents.map(|document| (document.path.clone(), anchors(&document.text))).collect();
        Self { paths, anchors }
    }

    /// As the whole of a path, or as its end: `shares.rs`, `roster/shares.rs`.
    fn has(&self, name: &str) -> bool {
        let end = format!("/{name}");
        self.paths.contains(name) || self.paths.iter().any(|path| path.ends_with(&end))
    }
}

/// All that people write here and read.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root(), &mut sources);
    assert!(sources.len() > 300, "the sources were found");
    sources
}

fn collect(folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_made = path.file_name().is_some_and(|name| MADE.iter().any(|made| name == *made));
        if path.is_dir() && !is_made {
            collect(&path, into);
            continue;
        }
        // What is no text can be referred to, and refers to nothing.
        let text = if is_made { String::new() } else { fs::read_to_string(&path).unwrap_or_default() };
        into.push(Source { path: slashed(path.strip_prefix(root()).unwrap()), text });
    }
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn is_document(source: &Source) -> bool {
    source.path.ends_with(".md")
}

/// The lines that a person reads, with their numbers: of a document all, of code its comments.
fn prose(source: &Source) -> Vec<(usize, &str)> {
    let lines = source.text.lines().enumerate().map(|(n, line)| (n + 1, line));
    let ending = source.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    let comment: &[&str] = match ending {
        "md" => return lines.collect(),
        "rs" | "js" | "mjs" | "ts" => &["// ", "//! ", "/// ", "/** "],
        "sql" => &["-- "],
        "css" => &["/* "],
        "svg" | "json" | "lock" | "html" => return Vec::new(),
        _ => &["# ", "## "],
    };
    lines.filter_map(|(n, line)| Some((n, after_any(line, comment)?))).collect()
}

/// The text behind the first of these that is not within a string.
fn after_any<'a>(line: &'a str, begins: &[&str]) -> Option<&'a str> {
    let parts = begins.iter().filter_map(|begin| line.split_once(begin));
    parts.filter(|(code, _)| code.matches('"').count() % 2 == 0).map(|(_, text)| text).next()
}

/// Names of files in a line. What is a pattern, an address or outside of the repository is none.
fn named_files(line: &str) -> Vec<&str> {
    let is_between = |c: char| c.is_whitespace() || "()[]{}<>,;:\"'`|=".contains(c);
    let words = line.split(is_between).map(|word| word.trim_end_matches(['.', '/']));
    let is_name = |word: &&str| {
        let has_ending = ENDINGS.iter().any(|ending| word.strip_suffix(ending).is_some_and(|stem| !stem.is_empty()));
        let is_path = FOLDERS.iter().any(|folder| word.starts_with(folder));
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        (has_ending || is_path) && is_plain && !word.starts_with('/')
    };
    words.filter(is_name).collect()
}

/// The targets of a line's Markdown links.
fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

fn without_links(line: &str) -> String {
    let mut parts = line.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, rest| text + " " + rest.split_once(')').map_or("", |(_, after)| after))
}

/// The headings of a document as GitHub makes anchors of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')) else {
            continue;
        };
        let letters = heading.trim().to_lowercase();
        let letters = letters.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        if !in_code {
            found.insert(letters.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    found
}

/// `to` as it is seen from the document's folder; nothing outside of the repository.
fn resolve(document: &str, to: &str) -> Option<String> {
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in folder.join(to).components() {
        match component {
            Component::ParentDir => path.pop().then_some(())?,
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(slashed(&path))
}

fn is_dead_link(source: &Source, link: &str, repository: &Repository) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return false;
    }
    let (to, anchor) = link.split_once('#').map_or((link, None), |(to, anchor)| (to, Some(anchor)));
    let target = if to.is_empty() { Some(source.path.clone()) } else { resolve(&source.path, to) };
    let Some(target) = target.filter(|target| repository.paths.contains(target)) else { return true };
    anchor.is_some_and(|anchor| !repository.anchors.get(&target).is_some_and(|anchors| anchors.contains(anchor)))
}

fn is_dangling(source: &Source, name: &str, repository: &Repository) -> bool {
    let is_known = |name: &str| repository.has(name) || repository.has(&format!("{name}.rs"));
    let seen_from_here = if name.starts_with('.') { resolve(&source.path, name) } else { None };
    let is_elsewhere = ELSEWHERE.iter().any(|(other, _)| name == *other);
    !is_elsewhere && !is_known(name) && !seen_from_here.is_some_and(|name| is_known(&name))
}

/// `path:line: reference` of each that leads nowhere.
fn dangling(source: &Source, repository: &Repository) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in prose(source) {
        let mut names = named_files(line).into_iter().map(str::to_owned).collect::<Vec<_>>();
        if is_document(source) {
            let text = without_links(line);
            names = named_files(&text).into_iter().map(str::to_owned).collect();
            let dead = links(line).into_iter().filter(|link| is_dead_link(source, link, repository));
            found.extend(dead.map(|link| format!("{}:{number}: {link}", source.path)));
        }
        names.retain(|name| is_dangling(source, name, repository));
        found.extend(names.iter().map(|name| format!("{}:{number}: {name}", source.path)));
        // A section of a document that is not named, or has none. An RFC has.
        if line.contains('§') && !line.contains("RFC") {
            found.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    found
}

#[test]
fn every_reference_leads_somewhere() {
    let sources = sources();
    let repository = Repository::of(&sources);
    let found: Vec<String> = sources.iter().flat_map(|source| dangling(source, &repository)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn dangling_references_are_found_and_good_ones_are_not() {
    let files = [
        Source::new("README.md", "# It\n## How to `run` it\n```\n# not a heading\n```\n"),
        Source::new("src/daemon/mod.rs", ""),
        Source::new("src/daemon/boot.rs", ""),
        Source::new("sql/README.md", "# The SQL\n"),
    ];
    let repository = Repository::of(&files);
    let found = |path: &str, text: &str| dangling(&Source::new(path, text), &repository).len();

    for good in [
        "[a](sql/README.md#the-sql) [b](src) [c](#it) [d](#how-to-run-it) [e](https://example.org/x.md#y)",
        "`src/daemon/mod.rs`, `src/daemon`, daemon/boot.rs and boot.rs. In src/daemon/boot the rest; src/*.rs, <n>.sql",
    ] {
        assert_eq!(found("README.md", good), 0, "{good}");
    }
    for bad in [
        "[a](sql/NOTES.md)",
        "[b](sql/README.md#tables)",
        "[c](#not-a-heading)",
        "`src/gone.rs`",
        "gone.rs",
        "src/gone",
    ] {
        assert_eq!(found("README.md", bad), 1, "{bad}");
    }
    assert_eq!(found("sql/README.md", "[up](../README.md#it) [down](../../README.md)"), 1);
    assert_eq!(found("src/x.rs", "//! GONE.md: what counts.\nlet x = \"gone.rs\"; // as in gone.rs\n"), 2);
    assert_eq!(found("src/x.rs", "/// The contract's §3 is this enum.\n/// RFC 9110 §15 says so.\n"), 1);
    assert_eq!(found("src/x.js", "/** What ./daemon/mod.rs and ../sql/README.md say. */ from './gone.js'\n"), 1);
    assert_eq!(found("sql/x.sql", "-- See gone.sql.\nSELECT 'gone.sql';\n"), 1);
}
