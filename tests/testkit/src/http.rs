use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};
use ureq::{
    Agent,
    http::{HeaderMap, Request},
};

use super::{DEADLINE, Daemon, Stage, until};

/// A daemon's console as a program sees it: with the token, unless a test says otherwise.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    pub addr: String,
    pub token: String,
}

/// A response.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Insists on this status and on a whole problem.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "code", "detail", "instance"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
        }
        assert_eq!(problem["type"], format!("urn:paird:problem:{}", problem["code"].as_str().unwrap()));
        problem
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// The value of a series of an exposition, by its whole name with labels; nothing is nothing yet.
pub fn sample(exposition: &str, series: &str) -> Option<f64> {
    let line = exposition.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.split(' ').next()?.parse().ok()
}

impl Api {
    /// Of a daemon of the stage, once it listens.
    pub async fn of(stage: &Stage, daemon: &mut Daemon) -> Self {
        Self::beside(&stage.dir, daemon).await
    }

    /// Of a daemon whose data directory is `daemon` in this one.
    pub async fn beside(dir: &Path, daemon: &mut Daemon) -> Self {
        let line = daemon.says("the console is listening").await;
        let addr = line.split("addr=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self::at(addr, &dir.join("daemon/console.token"))
    }

    pub fn at(addr: String, token: &Path) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(DEADLINE));
        let token = std::fs::read_to_string(token).unwrap().trim().to_owned();
        Self { agent: config.build().into(), addr, token }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    /// With the token.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let body = body.map(|body| serde_json::to_vec(&body).unwrap());
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            all.push(("Content-Type", "application/json"));
        }
        self.bare(method, path, &all, body).await
    }

    /// With these headers and no others of our own.
    pub async fn bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = self.agent.clone();
        let send = move || {
            let mut response = match body {
                Some(body) => agent.run(request.body(body).unwrap()),
                None => agent.run(request.body(()).unwrap()),
            }
            .unwrap();
            let body = response.body_mut().read_to_vec().unwrap();
            Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
        };
        tokio::task::spawn_blocking(send).await.unwrap()
    }

    /// Bytes as they are, for what no library sends; everything that comes back until the
    /// daemon closes.
    pub async fn raw(&self, request: &[u8]) -> String {
        let mut socket = TcpStream::connect(&self.addr).await.unwrap();
        socket.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(DEADLINE, socket.read_to_end(&mut answer)).await.expect("it never closed");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Follows the live stream, from `last` if there is one.
    pub fn follow(&self, last: Option<&str>) -> Live {
        self.follow_as(("Authorization", &format!("Bearer {}", self.token)), last)
    }

    /// The same, authenticated by this header.
    pub fn follow_as(&self, (name, value): (&str, &str), last: Option<&str>) -> Live {
        let mut request = Request::builder().uri(format!("http://{}/api/events", self.addr)).header(name, value);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let request = request.body(()).unwrap();
        let agent: Agent = Agent::config_builder().timeout_global(Some(Duration::from_secs(300))).build().into();
        let (tell, told) = mpsc::unbounded_channel();
        let open = move || {
            let response = agent.run(request).unwrap();
            assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
            read_stream(response.into_body().into_reader(), &tell);
        };
        std::thread::spawn(open);
        Live { told, last: last.map(str::to_owned), seen: Vec::new() }
    }

    /// Sends a command and waits for its end.
    pub async fn does(&self, account: &str, kind: &str, args: Value) -> String {
        let path = format!("/api/accounts/{account}/commands");
        let sent = self.post(&path, serde_json::json!({"kind": kind, "args": args}));
        let id = sent.await.is(202).json()["id"].as_i64().unwrap();
        let end = self.get(&format!("/api/commands/{id}?wait=30")).await.is(200).json();
        assert_eq!(end["state"], "done", "{end}");
        end["result"].as_str().unwrap().to_owned()
    }

    pub async fn account(&self, id: &str) -> Value {
        self.get(&format!("/api/accounts/{id}")).await.is(200).json()
    }

    pub async fn status_is(&self, id: &str, status: &str) -> Value {
        until(&format!("{id} {status}"), || async {
            Some(self.account(id).await).filter(|account| account["status"] == status)
        })
        .await
    }
}

/// One block of the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub kind: String,
    pub id: Option<String>,
    pub data: Value,
}

/// A consumer of the live stream.
pub struct Live {
    told: mpsc::UnboundedReceiver<Told>,
    /// As a browser keeps it.
    pub last: Option<String>,
    pub seen: Vec<Told>,
}

impl Live {
    /// The next block; `None` when the daemon ended the stream.
    pub async fn next(&mut self) -> Option<Told> {
        let told = tokio::time::timeout(DEADLINE, self.told.recv()).await.expect("nothing more came")?;
        if told.id.is_some() {
            self.last.clone_from(&told.id);
        }
        self.seen.push(told.clone());
        Some(told)
    }

    /// Reads on until one satisfies the condition.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Told) -> bool) -> Told {
        loop {
            let Some(told) = self.next().await else { panic!("the stream ended before {what}") };
            if is_it(&told) {
                return told;
            }
        }
    }

    /// `seq` of each event of the account so far, in order of arrival.
    pub fn seqs(&self, account: &str) -> Vec<i64> {
        let events = self.seen.iter().filter(|told| told.kind != "account" && told.data["accountId"] == account);
        events.map(|told| told.data["seq"].as_i64().unwrap()).collect()
    }
}

fn read_stream(stream: impl std::io::Read, tell: &mpsc::UnboundedSender<Told>) {
    let (mut kind, mut id, mut data) = (String::new(), None, String::new());
    for line in BufReader::new(stream).lines() {
        // A stream that is cut is one that has ended.
        let Ok(line) = line else { return };
        match line.split_once(": ") {
            Some(("event", value)) => value.clone_into(&mut kind),
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("data", value)) => data.push_str(value),
            _ if line.is_empty() => {
                let told = Told {
                    kind: std::mem::take(&mut kind),
                    id: id.take(),
                    data: serde_json::from_str(&std::mem::take(&mut data)).unwrap_or_default(),
                };
                if (told.id.is_some() || !told.kind.is_empty()) && tell.send(told).is_err() {
                    return;
                }
            }
            _ => {}
        }
    }
}
