//! The manual pages, what is installed beside the program, and `paird init`.

use std::path::Path;

use paird_testkit::{Stage, found_or_left_out, paird as program, scratch};
use serde_json::Value;
use tokio::process::Command;

use super::{command, document, hostile_text::subcommands, text};

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_its_manual_page() {
    let dir = scratch();
    let written = Command::new(program()).arg("man").arg(&dir).env_clear().output().await.unwrap();
    assert!(written.status.success(), "{written:?}");
    let mut names = vec!["paird".to_owned()];
    for outer in subcommands(&[]).await.into_iter().filter(|name| name != "help") {
        let inner = subcommands(&[&outer]).await.into_iter().filter(|name| name != "help");
        names.extend(inner.map(|inner| format!("paird-{outer}-{inner}")));
        names.push(format!("paird-{outer}"));
    }
    assert!(names.len() > 40, "{names:?}");
    for name in &names {
        let page =
            std::fs::read_to_string(dir.join(format!("{name}.1"))).unwrap_or_else(|_| panic!("no page of {name}"));
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
    }
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), names.len(), "and no others");
    let first = Command::new(program()).arg("man").env_clear().output().await.unwrap();
    assert_eq!(text(&first), std::fs::read_to_string(dir.join("paird.1")).unwrap());

    let reader = Command::new("man").arg("-l").arg(dir.join("paird-pair.1")).env("MANWIDTH", "80").output().await;
    if let Some(read) = found_or_left_out(reader.ok(), "man", "man-db") {
        let read = String::from_utf8(read.stdout).unwrap();
        assert!(read.contains("draws the QR here") && read.contains("--png"), "{read}");
    }
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_completions_are_installed_where_shells_look() {
    let root = scratch();
    let mut make = Command::new("make");
    make.args(["--silent", "install-pages", "PREFIX=/usr"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    make.arg(format!("PAIRD={}", program().display())).arg(format!("DESTDIR={}", root.display()));
    let Some(made) = found_or_left_out(make.output().await.ok(), "make", "make") else { return };
    assert!(made.status.success(), "{made:?}");
    for (file, sign) in [
        ("man/man1/paird.1", ".TH paird 1"),
        ("man/man1/paird-accounts-add.1", ".TH paird-accounts-add 1"),
        ("bash-completion/completions/paird", "\"paird\" -- "),
        ("zsh/site-functions/_paird", "#compdef paird"),
        ("fish/vendor_completions.d/paird.fish", "--command paird"),
    ] {
        let path = root.join("usr/share").join(file);
        let installed = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{file} is not there"));
        assert!(installed.contains(sign), "{file}: {installed}");
        assert!(!installed.contains(&program().display().to_string()), "{file} names the place of the build");
    }
    let script = root.join("usr/share/bash-completion/completions/paird");
    assert!(Command::new("bash").arg("-n").arg(script).status().await.unwrap().success());
    std::fs::remove_dir_all(root).unwrap();
}

async fn next(stage: &Stage, variables: &[(&str, &str)]) -> (i32, Vec<String>) {
    let mut init = command(stage);
    init.args(["init", "--json"]).env("PATH", "/usr/bin:/bin").env("PAIRD_WHATSAPP_URL", stage.whatsapp_url());
    let output = init.envs(variables.iter().copied()).output().await.unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let next = told["next"].as_array().unwrap().iter().map(|step| step["command"].as_str().unwrap().to_owned());
    (output.status.code().unwrap(), next.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn init_says_what_to_do_next_at_every_step() {
    let stage = Stage::empty().await;
    let usual = ["paird console", "paird doctor"];
    let steps = |first: &[&str]| (0, [first, &usual].concat().into_iter().map(str::to_owned).collect::<Vec<_>>());
    let begin = ["paird serve", "paird accounts add \"front desk\"", "paird pair \"front desk\""];
    assert_eq!(next(&stage, &[]).await, steps(&begin));
    assert_eq!(next(&stage, &[("DATABASE_URL", "")]).await, steps(&begin), "with a database of its own");
    let mended = (1, vec!["paird init".to_owned()]);
    assert_eq!(next(&stage, &[("DATABASE_URL", ""), ("PAIRD_POSTGRES_BIN", "/nowhere")]).await, mended);
    assert_eq!(next(&stage, &[("DATABASE_URL", "postgres://u:p@127.0.0.1:1/d")]).await, mended);
    assert!(!Path::new(&stage.dir.join("daemon/master.key")).exists(), "it changes nothing");

    let daemon = stage.daemon(&[]).await;
    assert_eq!(next(&stage, &[]).await, steps(&begin[1..]));
    stage.web.account("front desk").await;
    assert_eq!(next(&stage, &[]).await, steps(&["paird pair 'front desk'"]));
    stage.web.connect_account("shop", "436607000201", &stage.phones).await;
    assert_eq!(next(&stage, &[]).await, steps(&["paird watch", "paird messages shop --follow"]));
    let mut told = command(&stage);
    told.arg("init").env("PATH", "/usr/bin:/bin").env("PAIRD_WHATSAPP_URL", stage.whatsapp_url());
    let told = text(&told.output().await.unwrap());
    assert!(told.contains("  ok  database") && told.contains("\nnext:\n  paird watch "), "{told}");
    assert_eq!(document(&stage, &["status", "shop"]).await["status"], "connected");
    stage.finish([daemon]).await;
}
