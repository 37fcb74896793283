//! The accessibility rules of axe-core. It is fetched with npm the first time, into the
//! build directory; without npm the rules are skipped, with a notice.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::window::Window;

const VERSION: &str = "4.11.0";

impl Window {
    /// Fails with axe's findings on the current page, in light and in dark.
    pub async fn assert_accessible(&self, page: &str) {
        let Some(rules) = source() else {
            eprintln!("left out: axe-core cannot be fetched (apt install npm), so {page:?} was not checked by it");
            return;
        };
        for scheme in ["light", "dark"] {
            self.look(scheme, 1200).await;
            self.run(&rules, vec![]).await;
            let script = "const done = arguments[0];
                axe.run({ resultTypes: ['violations'] }).then((found) => done(found.violations.map(
                    (each) => each.id + ': ' + each.nodes.map((node) => node.html.slice(0, 200)).join(' | '))))";
            let found = self.page.execute_async(script, vec![]).await.unwrap();
            assert_eq!(found, json!([]), "{page} in {scheme}: {found:#}");
        }
        self.look_as_usual().await;
    }

    /// The names by which a screen reader finds its way.
    pub async fn landmarks(&self) -> Value {
        let script = "return ['header', 'nav', 'main', 'h1'].map((name) => document.querySelectorAll(name).length)";
        self.run(script, vec![]).await
    }
}

fn source() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let fetched = Command::new("npm")
            .args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("axe-core@{VERSION}"))
            .stdin(Stdio::null())
            .status();
        if !fetched.is_ok_and(|status| status.success()) {
            return None;
        }
    }
    std::fs::read_to_string(file).ok()
}
