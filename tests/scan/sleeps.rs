//! Tests wait for conditions, never for a time.

use super::{Source, all, names, names_any};

/// Where a test sleeps all the same, and why.
const ALLOWED_SLEEPS: [(&str, &str); 8] = [
    ("actors/src/supervisor/tests.rs", "between two looks, until a deadline"),
    ("src/whatsapp/tests/bench.rs", "between two looks, until a deadline"),
    ("tests/blackbox/database.rs", "between two commands of a steady traffic"),
    ("tests/blackbox/fleet/shares.rs", "between two commands of a steady traffic"),
    ("tests/chaos/campaign.rs", "the script says when something happens"),
    ("tests/sandbox/tests/real_client/companion.rs", "between two looks, until a deadline"),
    ("tests/testkit/src/lib.rs", "between two looks, until a deadline"),
    ("tests/testkit/src/postgres.rs", "between two looks, until a deadline"),
];

/// Doubles that are late on purpose, and the benchmark.
const LATE_ON_PURPOSE: [&str; 3] = ["tests/bench/", "tests/sandbox/src/", "tests/testkit/src/wire/"];

fn is_test(source: &Source) -> bool {
    (source.is_test() || source.is_below("tests/")) && !LATE_ON_PURPOSE.iter().any(|folder| source.is_below(folder))
}

/// A sleep, or a wait of less than a second for something that is not to come.
fn fixed_waits(source: &Source) -> Vec<String> {
    if !is_test(source) || source.is_below("tests/scan/") {
        return Vec::new();
    }
    let is_allowed = ALLOWED_SLEEPS.iter().any(|(path, _)| source.path == *path);
    source.where_broken(|line| {
        let sleeps = names_any(line, &["sleep", "sleep_until"]) && line.contains('(');
        let times_out = ["timeout(", "timeout_at("].iter().any(|call| line.contains(call));
        (sleeps && !is_allowed) || (times_out && names(line, "from_millis"))
    })
}

#[test]
fn no_test_waits_for_a_time() {
    let broken: Vec<String> = all().iter().flat_map(fixed_waits).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));

    for line in [
        "    tokio::time::sleep(Duration::from_millis(500)).await;",
        "    std::thread::sleep(A_MOMENT);",
        "    sleep_until(begun + A_MOMENT).await;",
        "    while let Ok(event) = timeout(Duration::from_millis(300), events.recv()).await {",
        "    assert!(waits.recv_timeout(Duration::from_millis(50)).is_err());",
    ] {
        for path in ["tests/blackbox/x.rs", "actors/src/x/tests.rs", "src/x/tests/y.rs"] {
            assert_eq!(fixed_waits(&Source::new(path, line)).len(), 1, "{path}: {line}");
        }
        assert!(fixed_waits(&Source::new("src/x.rs", line)).is_empty(), "{line}");
    }
    let short = "    let heard = timeout(Duration::from_millis(300), heard).await;";
    assert_eq!(fixed_waits(&Source::new(ALLOWED_SLEEPS[0].0, short)).len(), 1, "that is another matter");
    let bounded = "    let heard = timeout(Duration::from_secs(20), heard).await;";
    assert!(fixed_waits(&Source::new("tests/blackbox/x.rs", bounded)).is_empty());
}

#[test]
fn each_exception_of_the_sleeps_is_needed() {
    let sources = all();
    for (path, why) in ALLOWED_SLEEPS {
        let source = sources.iter().find(|source| source.path == path);
        let sleeps = source.is_some_and(|source| !source.where_broken(|line| names(line, "sleep")).is_empty());
        assert!(sleeps, "{path} ({why}) sleeps no more");
    }
}
