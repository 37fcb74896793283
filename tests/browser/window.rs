//! A browser for one test, with a fresh profile.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    key::Key,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use paird_testkit::until;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--window-size=1200,900",
];

pub struct Window {
    pub page: Client,
    driver: Child,
}

/// `false` where the tests of the browser are left out; panics where one is missing.
pub fn is_wanted() -> bool {
    #[expect(clippy::disallowed_methods, reason = "whether to run is the tester's to say")]
    let without = std::env::var_os("PAIRD_NO_BROWSER").is_some();
    if without {
        eprintln!("left out: PAIRD_NO_BROWSER is set");
    }
    !without
}

impl Window {
    /// A new Chromium with its profile in `dir`.
    pub async fn open(dir: &Path) -> Self {
        let (driver, port) = steer().await;
        let profile = format!("--user-data-dir={}", dir.join("browser").display());
        let flags: Vec<&str> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        let mut wanted = Capabilities::new();
        wanted.insert("goog:chromeOptions".to_owned(), json!({ "binary": on_path("chromium"), "args": flags }));
        wanted.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Self { page, driver }
    }

    /// Waits until it is there and can be seen.
    pub async fn see(&self, css: &str) -> Element {
        until(&format!("{css} in {}", self.text("body").await), || async {
            let element = self.page.find(Locator::Css(css)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// Waits until it is there and says so.
    pub async fn says(&self, css: &str, text: &str) {
        until(&format!("{css} that says {text:?}"), || async { self.text(css).await.contains(text).then_some(()) })
            .await;
    }

    /// The visible text; empty if the element does not exist.
    pub async fn text(&self, css: &str) -> String {
        match self.page.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub async fn texts(&self, css: &str) -> Vec<String> {
        let found =
            self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", vec![json!(css)]);
        serde_json::from_value(found.await).unwrap()
    }

    /// Clicks, also if the page redraws the element at that moment.
    pub async fn click(&self, css: &str) {
        until(&format!("a click on {css}"), || async { self.see(css).await.click().await.ok() }).await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys in the focused element.
    pub async fn press(&self, keys: &[Key]) {
        for key in keys {
            let focused = self.page.active_element().await.unwrap();
            focused.send_keys(&char::from(*key).to_string()).await.unwrap();
        }
    }

    /// Presses the keys of a text in what has the focus.
    pub async fn write(&self, text: &str) {
        self.page.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    /// Presses Tab until the element has the focus, like a user without a mouse.
    pub async fn tab_to(&self, css: &str) {
        for _ in 0..40 {
            if self.run("return document.activeElement.matches(arguments[0])", vec![json!(css)]).await == json!(true) {
                return;
            }
            self.press(&[Key::Tab]).await;
        }
        panic!("the keyboard does not get to {css}");
    }

    pub async fn run(&self, script: &str, args: Vec<Value>) -> Value {
        self.page.execute(script, args).await.unwrap()
    }

    /// Runs a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        self.page.issue_cmd(Devtools { command: command.to_owned(), params }).await.unwrap()
    }

    pub async fn picture(&self) -> image::DynamicImage {
        image::load_from_memory(&self.page.screenshot().await.unwrap()).unwrap()
    }

    /// Keeps three pictures of the whole page as it is: light, dark, and on a phone.
    pub async fn keep_pictures(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        for (look, scheme, width) in [("light", "light", 1200), ("dark", "dark", 1200), ("phone", "light", 360)] {
            self.look(scheme, width).await;
            // Less than nothing is the place that a page keeps for its scroll bar.
            let sideways = self
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth", vec![])
                .await;
            assert!(sideways.as_i64().unwrap() <= 0, "{name} has to be scrolled sideways at {width} px: {sideways}");
            let taken =
                self.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true, "format": "png" }));
            let png = BASE64_STANDARD.decode(taken.await["data"].as_str().unwrap()).unwrap();
            std::fs::write(folder.join(format!("{name}-{look}.png")), png).unwrap();
        }
        self.look_as_usual().await;
    }

    /// Sets the colour scheme, and a screen of that width, as high as the page.
    pub async fn look(&self, scheme: &str, width: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let screen =
            |height: Value| json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", screen(json!(740))).await;
        let height = self.run("return document.documentElement.scrollHeight", vec![]).await;
        self.devtools("Emulation.setDeviceMetricsOverride", screen(height)).await;
    }

    pub async fn look_as_usual(&self) {
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    /// Errors in the browser's own console since the last call: script errors, violations of the
    /// content policy, missing files. Requests that fail because the daemon is down, or refuses,
    /// are ignored, since tests provoke them.
    pub async fn complaints(&self) -> Vec<String> {
        let log: Vec<Value> = serde_json::from_value(self.page.issue_cmd(Log).await.unwrap()).unwrap();
        let is_complaint = |entry: &Value| {
            let (source, text) =
                (entry["source"].as_str().unwrap_or_default(), entry["message"].as_str().unwrap_or_default());
            let is_serious = entry["level"] == "SEVERE" || entry["level"] == "WARNING";
            is_serious && (source != "network" || text.contains("/static/") && !text.contains("net::ERR_"))
        };
        log.iter().filter(|entry| is_complaint(entry)).map(Value::to_string).collect()
    }

    pub async fn close(mut self) {
        self.page.close().await.unwrap();
        // It takes the browser with it.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.driver.kill()).await;
    }
}

/// ChromeDriver, and the port that it took. The one that it picks may be taken on the other
/// kind of loopback; then it ends, and another one picks another.
async fn steer() -> (Child, String) {
    for _ in 0..10 {
        let mut driver = Command::new(on_path("chromedriver"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        while let Some(line) = said.next_line().await.unwrap() {
            let Some(port) = line.split("successfully on port ").nth(1) else { continue };
            // Drain the output, so that its pipe does not fill.
            tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
            return (driver, port.trim_end_matches('.').to_owned());
        }
    }
    panic!("chromedriver ends as soon as it is started");
}

fn on_path(program: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the browser is the tester's")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("{program} is missing: apt install chromium chromium-driver (or set PAIRD_NO_BROWSER=1 to leave the browser out)")
    })
}

#[derive(Debug)]
struct Devtools {
    command: String,
    params: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        below(base, session, "goog/cdp/execute")
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.command, "params": self.params }).to_string()))
    }
}

/// The lines of the browser's console since the last time.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        below(base, session, "se/log")
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

fn below(base: &url::Url, session: Option<&str>, path: &str) -> Result<url::Url, url::ParseError> {
    base.join(&format!("session/{}/{path}", session.unwrap_or_default()))
}
