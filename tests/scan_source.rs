//! The rules of the code's shape, held by reading the source. Each scanner is shown
//! a snippet that breaks its rule, so that none of them is blind.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "scan/imports.rs"]
mod imports;
#[path = "scan/references.rs"]
mod references;
#[path = "scan/sleeps.rs"]
mod sleeps;
#[path = "scan/type_names.rs"]
mod type_names;

use std::fs;
use std::path::{Path, PathBuf};

/// A source file below the workspace, `/`-separated and relative to it.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Lines of code with their numbers: without comments, and without what follows
    /// `#[cfg(test)]`, which by our habit is the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        let lines = self.text[..end].lines().enumerate();
        lines
            .map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default()))
            .filter(|(_, l)| !l.trim().is_empty())
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// `path:line: text` of each line of code that `breaks` the rule.
    fn where_broken(&self, breaks: impl Fn(&str) -> bool) -> Vec<String> {
        let broken = self.code().filter(|(_, line)| breaks(line));
        broken.map(|(number, line)| format!("{}:{number}: {}", self.path, line.trim())).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Every Rust source of the product: the daemon and its machines.
fn product() -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["src", "actors/src"] {
        collect(&root().join(folder), &mut sources);
    }
    assert!(sources.len() > 20, "the sources were found");
    sources.retain(|source| !source.is_test());
    sources
}

/// Those, and every suite and double beside them.
fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["src", "actors/src", "tests"] {
        collect(&root().join(folder), &mut sources);
    }
    sources
}

fn collect(folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            into.push(Source { path: relative, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

/// The word stands alone: `tokio` is not in `tokionic`, `rand` not in `operand`.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn names_any(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| names(line, word))
}

/// The crates and modules of WhatsApp's protocol.
const WHATSAPP: [&str; 8] = [
    "whatsapp_rust",
    "wacore",
    "wacore_binary",
    "wacore_noise",
    "wacore_libsignal",
    "waproto",
    "whatsapp_rust_tokio_transport",
    "whatsapp_rust_ureq_http_client",
];

fn whatsapp_outside_its_folder(source: &Source) -> Vec<String> {
    if source.is_below("src/whatsapp/") {
        return Vec::new();
    }
    // Log targets are names, too, but of lines to silence, not of things to call.
    source.where_broken(|line| names_any(&without_strings(line), &WHATSAPP))
}

/// What the gateway stores goes through the credential store.
fn database_in_the_gateway(source: &Source) -> Vec<String> {
    if !source.is_below("src/whatsapp/") {
        return Vec::new();
    }
    let database = ["paird_sql", "deadpool_postgres", "tokio_postgres", "postgres"];
    source.where_broken(|line| names_any(&without_strings(line), &database))
}

fn impurity_in_a_pure_module(source: &Source) -> Vec<String> {
    let is_pure = source.is_below("actors/src/domain/")
        || ["author", "backoff", "connection", "desk", "lifecycle", "lease", "machine", "outgoing", "roster", "saga"]
            .iter()
            .any(|name| {
                source.is_below("actors/src/")
                    && (source.path.contains(&format!("/{name}/")) || source.path.ends_with(&format!("/{name}.rs")))
            });
    if !is_pure {
        return Vec::new();
    }
    let impure = ["actix", "actix_rt", "tokio", "tracing", "rand", "SystemTime", "clock"];
    source.where_broken(|line| names_any(line, &impure) || line.contains("Instant::now") || line.contains("Utc::now"))
}

fn sql_in_a_string(source: &Source) -> Vec<String> {
    source.where_broken(|line| strings_of(line).iter().any(|text| is_sql(text)))
}

fn is_sql(text: &str) -> bool {
    let starts = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "LISTEN ", "NOTIFY "];
    let text = text.trim_start();
    starts.iter().any(|start| text.starts_with(start)) || (text.starts_with("UPDATE ") && text.contains(" SET "))
}

fn environment_outside_config(source: &Source) -> Vec<String> {
    if source.path == "src/config/mod.rs" {
        return Vec::new();
    }
    let reads = ["env::var", "env::vars", "env::var_os", "env::vars_os", "env::temp_dir", "env::home_dir"];
    source.where_broken(|line| reads.iter().any(|call| line.contains(call)))
}

/// The crate reads systemd's variables itself, so only its one caller may name it.
fn systemd_outside_its_file(source: &Source) -> Vec<String> {
    if source.path == "src/systemd.rs" {
        return Vec::new();
    }
    source.where_broken(|line| names(line, "sd_notify"))
}

/// Statics that hold something which changes. Each has a reason to be one.
const ALLOWED_STATICS: [(&str, &str); 1] = [("actors/src/clock.rs", "the anchor of the one clock")];

fn global_state(source: &Source) -> Vec<String> {
    if ALLOWED_STATICS.iter().any(|(path, _)| source.path == *path) {
        return Vec::new();
    }
    let changing =
        ["OnceLock", "OnceCell", "LazyLock", "Lazy", "Mutex", "RwLock", "HashMap", "DashMap", "Atomic", "RefCell"];
    source.where_broken(|line| {
        let line = line.trim_start();
        let is_static = ["static ", "pub static ", "pub(crate) static ", "pub(super) static "]
            .iter()
            .any(|start| line.starts_with(start));
        line.contains("static mut ")
            || line.contains("thread_local!")
            || line.contains("lazy_static!")
            || (is_static && changing.iter().any(|kind| line.contains(kind)))
    })
}

fn printing_to_stdout(source: &Source) -> Vec<String> {
    source.where_broken(|line| names_any(line, &["println", "print", "eprintln", "eprint"]) && line.contains('!'))
}

/// What is longer is a sentence that nobody reads in a list of failures.
const LONGEST_TEST_NAME: usize = 60;

fn long_test_names(source: &Source) -> Vec<String> {
    let mut long = Vec::new();
    let mut is_test = false;
    for (line, number) in source.text.lines().map(str::trim).zip(1..) {
        let attribute = line.strip_prefix("#[").and_then(|rest| rest.split(['(', ']']).next());
        is_test |= attribute.is_some_and(|path| path == "test" || path.ends_with("::test"));
        let Some((before, rest)) = line.split_once("fn ") else { continue };
        if std::mem::take(&mut is_test) && ["", "async ", "pub ", "pub async "].contains(&before) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if name.len() > LONGEST_TEST_NAME {
                long.push(format!("{}:{number}: {name} has {} characters", source.path, name.len()));
            }
        }
    }
    long
}

/// A reason that is a sentence: `status_reason` begins with a word of `Reason`.
fn text_as_status_reason(source: &Source) -> Vec<String> {
    let lines: Vec<(usize, &str)> = source.code().collect();
    let calls = lines.iter().enumerate().filter(|(_, (_, line))| line.contains("set_status("));
    let broken = calls.filter(|(at, _)| {
        let rest = lines[*at..].iter().map(|(_, line)| *line).collect::<Vec<_>>().join(" ");
        rest.split_once("set_status(").is_some_and(|(_, rest)| arguments(rest).contains('"'))
    });
    broken.map(|(_, (number, line))| format!("{}:{number}: {}", source.path, line.trim())).collect()
}

/// Of a call, from behind its opening bracket to the one that closes it.
fn arguments(text: &str) -> &str {
    let mut open = 1;
    let end = text.find(|letter| {
        open += i32::from(letter == '(') - i32::from(letter == ')');
        open == 0
    });
    &text[..end.unwrap_or(text.len())]
}

/// The string literals of one line.
fn strings_of(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn without_strings(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Dependencies of a Cargo manifest, all kinds of them.
fn dependencies(manifest: &str) -> Vec<String> {
    let table: toml::Table = manifest.parse().unwrap();
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| table.get(*kind)?.as_table())
        .flat_map(|kind| kind.keys().cloned())
        .collect()
}

fn foreign_to_actors(dependencies: &[String]) -> Vec<String> {
    let foreign = ["postgres", "sql", "deadpool", "whatsapp", "wacore", "waproto", "qrcode", "png", "clap", "ureq"];
    dependencies.iter().filter(|name| foreign.iter().any(|part| name.contains(part))).cloned().collect()
}

#[track_caller]
fn nothing_breaks(scan: impl Fn(&Source) -> Vec<String>) {
    let broken: Vec<String> = product().iter().flat_map(scan).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_machines_depend_on_no_database_whatsapp_or_qr_crate() {
    let manifest = fs::read_to_string(root().join("actors/Cargo.toml")).unwrap();
    assert_eq!(foreign_to_actors(&dependencies(&manifest)), Vec::<String>::new());

    let bad = "[dependencies]\ntokio-postgres = \"0.7\"\nchrono = \"0.4\"\n[dev-dependencies]\nqrcode = \"0.14\"\n";
    assert_eq!(foreign_to_actors(&dependencies(bad)), ["tokio-postgres", "qrcode"]);
}

#[test]
fn pure_modules_name_no_runtime_log_clock_or_randomness() {
    nothing_breaks(impurity_in_a_pure_module);

    for line in ["use tokio::time;", "let now = Utc::now();", "use crate::clock;", "let x: u8 = rand::random();"] {
        for path in [
            "actors/src/domain/x.rs",
            "actors/src/account/lifecycle/x.rs",
            "actors/src/unlink/saga/mod.rs",
            "actors/src/lease/mod.rs",
            "actors/src/outgoing/mod.rs",
            "actors/src/backoff.rs",
            "actors/src/supervisor/roster/writes.rs",
        ] {
            assert_eq!(impurity_in_a_pure_module(&Source::new(path, line)).len(), 1, "{path}: {line}");
        }
        assert!(impurity_in_a_pure_module(&Source::new("actors/src/account/effects.rs", line)).is_empty());
    }
    assert!(impurity_in_a_pure_module(&Source::new("actors/src/domain/x.rs", "let operand = 1; // tokio")).is_empty());
}

#[test]
fn only_the_gateway_names_the_protocol_library() {
    nothing_breaks(whatsapp_outside_its_folder);

    let line = "use wacore::store::traits::Backend;";
    assert_eq!(whatsapp_outside_its_folder(&Source::new("src/daemon/mod.rs", line)).len(), 1);
    assert!(whatsapp_outside_its_folder(&Source::new("src/whatsapp/session.rs", line)).is_empty());
    assert!(whatsapp_outside_its_folder(&Source::new("src/telemetry/mod.rs", "(\"wacore\", OFF)")).is_empty());
}

#[test]
fn the_gateway_names_no_database() {
    nothing_breaks(database_in_the_gateway);

    for line in ["use deadpool_postgres::Pool;", "use paird_sql::queries::keyrings;", "use crate::postgres::pool;"] {
        assert_eq!(database_in_the_gateway(&Source::new("src/whatsapp/keys.rs", line)).len(), 1, "{line}");
        assert!(database_in_the_gateway(&Source::new("src/credentials/rows.rs", line)).is_empty());
    }
}

#[test]
fn sql_text_lives_only_in_its_own_folder() {
    nothing_breaks(sql_in_a_string);

    for line in [
        "client.query(\"SELECT id FROM events\", &[])",
        "\"INSERT INTO commands (kind) VALUES ($1)\"",
        "\"UPDATE whatsapp_accounts SET status = 'held'\"",
        "\"DELETE FROM keyrings\"",
        "format!(\"LISTEN {channel}\")",
    ] {
        assert_eq!(sql_in_a_string(&Source::new("src/postgres/store.rs", line)).len(), 1, "{line}");
    }
    assert!(sql_in_a_string(&Source::new("src/cli/out.rs", "\"SELECTED\", \"update the label\"")).is_empty());
}

#[test]
fn only_the_settings_read_the_environment() {
    nothing_breaks(environment_outside_config);

    let line = "let home = std::env::var(\"HOME\");";
    assert_eq!(environment_outside_config(&Source::new("src/daemon/mod.rs", line)).len(), 1);
    assert!(environment_outside_config(&Source::new("src/config/mod.rs", line)).is_empty());

    nothing_breaks(systemd_outside_its_file);
    let line = "let within = sd_notify::watchdog_enabled();";
    assert_eq!(systemd_outside_its_file(&Source::new("src/daemon/mod.rs", line)).len(), 1);
    assert!(systemd_outside_its_file(&Source::new("src/systemd.rs", line)).is_empty());
}

#[test]
fn nothing_that_changes_is_global() {
    nothing_breaks(global_state);

    for line in [
        "static LISTENERS: LazyLock<Mutex<HashMap<Uuid, Sender>>> = LazyLock::new(Default::default);",
        "pub static RUNNING: AtomicBool = AtomicBool::new(false);",
        "static mut COUNT: u32 = 0;",
        "thread_local! { static X: u8 = 1; }",
    ] {
        assert_eq!(global_state(&Source::new("src/daemon/mod.rs", line)).len(), 1, "{line}");
    }
    assert!(global_state(&Source::new("src/cli/mod.rs", "fn name() -> &'static str { \"x\" }")).is_empty());
}

#[test]
fn nothing_prints_past_the_log_and_the_command_lines_own_output() {
    nothing_breaks(printing_to_stdout);

    assert_eq!(printing_to_stdout(&Source::new("src/daemon/mod.rs", "println!(\"up\");")).len(), 1);
}

#[test]
fn no_test_name_is_longer_than_sixty_characters() {
    let long: Vec<String> = all().iter().flat_map(long_test_names).collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));

    let name = "a".repeat(LONGEST_TEST_NAME + 1);
    for test in ["#[test]\n#[ignore = \"slow\"]\nfn", "#[tokio::test(flavor = \"multi_thread\")]\nasync fn"] {
        let source = |name: &str| Source::new("tests/x/y.rs", &format!("{test} {name}() {{}}\n"));
        assert_eq!(long_test_names(&source(&name)).len(), 1, "{test}");
        assert!(long_test_names(&source(&name[1..])).is_empty(), "{test}");
    }
    assert!(long_test_names(&Source::new("src/x.rs", &format!("fn {name}() {{}}\n"))).is_empty());
}

/// Cargo is told of each suite by name; one that it was not told of would never run.
fn unknown_suites(suites: &[String], manifests: &[&str]) -> Vec<String> {
    let named = |suite: &String| manifests.iter().any(|manifest| manifest.contains(&format!("name = \"{suite}\"")));
    suites.iter().filter(|suite| !named(suite)).cloned().collect()
}

#[test]
fn every_suite_is_named_in_a_manifest() {
    let mut suites = Vec::new();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("main.rs").is_file() || path.extension().is_some_and(|extension| extension == "rs") {
            suites.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    assert!(suites.len() > 5, "the suites were found: {suites:?}");
    let manifests = ["Cargo.toml", "tests/scan/Cargo.toml"].map(|path| fs::read_to_string(root().join(path)).unwrap());
    let manifests = manifests.each_ref().map(String::as_str);
    assert_eq!(unknown_suites(&suites, &manifests), Vec::<String>::new());

    assert_eq!(unknown_suites(&["forgotten".to_owned()], &manifests), ["forgotten"]);
}

#[test]
fn a_status_reason_is_a_word_and_never_a_sentence() {
    nothing_breaks(text_as_status_reason);

    for bad in [
        "self.set_status(Status::Pending, \"no answer from WhatsApp\");",
        "record.set_status(Status::Pending, format!(\"no answer: {why}\"), now);",
        "self.set_status(\n    Status::Pending,\n    \"no answer\",\n);",
    ] {
        assert_eq!(text_as_status_reason(&Source::new("actors/src/x.rs", bad)).len(), 1, "{bad}");
    }
    let good = "self.set_status(Status::Pending, Reason::NoAnswer);\nlet text = \"no answer\";";
    assert!(text_as_status_reason(&Source::new("actors/src/x.rs", good)).is_empty());
}

#[test]
fn a_scanner_reads_code_and_not_comments_or_tests() {
    let text = "// tokio\nuse tokio::sync;\n#[cfg(test)]\nmod tests {\n    use tokio::time;\n}\n";
    let broken = Source::new("actors/src/domain/x.rs", text).where_broken(|line| names(line, "tokio"));
    assert_eq!(broken, ["actors/src/domain/x.rs:2: use tokio::sync;"]);
}
