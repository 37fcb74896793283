//! The running daemon's HTTP API, as a caller of it.

pub(super) mod page;
mod socket;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use paird_actors::domain::Secret;
use serde_json::Value;
use ureq::{Agent, RequestBuilder, typestate::WithoutBody};
use zeroize::Zeroizing;

use super::exit::{Exit, failure};
use crate::config::Config;
use crate::listen::known_address;

/// A drain waits until every account has disconnected.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Cheap to clone. Its requests block, and run on a thread for such work.
#[derive(Clone)]
pub(super) struct ConsoleClient {
    endpoint: Endpoint,
    agent: Agent,
}

/// The way to reach the daemon.
#[derive(Clone)]
enum Endpoint {
    /// Its socket in the data directory, which it alone can have made.
    Socket(PathBuf),
    /// Its address, with the token. Any process that listens there would receive the token, so
    /// this is used only if the daemon says that it listens, or the token's file was set.
    Tcp { address: SocketAddr, token: Secret, token_file: String },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => path.display().fmt(f),
            Self::Tcp { address, .. } => address.fmt(f),
        }
    }
}

impl ConsoleClient {
    /// The daemon of this data directory.
    ///
    /// # Errors
    /// No daemon has left a token here, or it cannot be read.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let builder = Agent::config_builder()
            // Never one from the environment, which would see the token.
            .proxy(None)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false);
        let path = config.console_socket();
        match socket::answers(&path) {
            Some(true) => {
                return Ok(Self { agent: socket::agent(builder.build(), &path), endpoint: Endpoint::Socket(path) });
            }
            // Left behind by a daemon that was killed; its address may belong to another process.
            Some(false) => return Err(no_daemon(&path.display())),
            None => {}
        }
        let file = &config.console_token_file;
        let is_told = config.console_addr_file().exists() || file.parent() != Some(config.data_dir.as_path());
        if !is_told && file.exists() {
            return Err(no_daemon(&path.display()));
        }
        let token = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|why| {
            let file = file.display();
            if why.kind() == std::io::ErrorKind::NotFound {
                failure(Exit::NoDaemon, format!("no daemon has run here ({file} is not there): start paird serve, or set PAIRD_DATA_DIR to its data directory"))
            } else {
                anyhow::anyhow!("{file}: {why}; run as the user that runs the daemon")
            }
        })?;
        let endpoint = Endpoint::Tcp {
            address: address(config)?,
            token: Secret::new(token.trim()),
            token_file: file.display().to_string(),
        };
        Ok(Self { endpoint, agent: builder.build().into() })
    }

    /// The socket or address at which the daemon answers.
    pub(super) fn address(&self) -> String {
        self.endpoint.to_string()
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.agent.get(self.url(path))).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let (me, path) = (self.clone(), path.to_owned());
        let ask = move || {
            let request = me.authorized(me.agent.post(me.url(&path)));
            me.answer(request.send_json(body))
        };
        tokio::task::spawn_blocking(ask).await?
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.agent.delete(self.url(path))).await
    }

    async fn ask(&self, request: RequestBuilder<WithoutBody>) -> anyhow::Result<Value> {
        let me = self.clone();
        let request = self.authorized(request);
        tokio::task::spawn_blocking(move || me.answer(request.call())).await?
    }

    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.endpoint {
            Endpoint::Socket(_) => request,
            Endpoint::Tcp { token, .. } => request.header("authorization", format!("Bearer {}", token.expose())),
        }
    }

    fn url(&self, path: &str) -> String {
        match &self.endpoint {
            Endpoint::Socket(_) => format!("http://localhost{path}"),
            Endpoint::Tcp { address, .. } => format!("http://{address}{path}"),
        }
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let place = &self.endpoint;
        let mut answer = answer.map_err(|why| self.unreachable(&why))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(|why| self.unreachable(&why))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        if status == 401 || status == 403 {
            let file = match place {
                Endpoint::Socket(_) => {
                    anyhow::bail!("the daemon at {place} refused you: run this as the user that runs the daemon")
                }
                Endpoint::Tcp { token_file, .. } => token_file,
            };
            anyhow::bail!(
                "the daemon at {place} rejected the token from {file}: set PAIRD_DATA_DIR or PAIRD_CONSOLE_TOKEN_FILE as for that daemon"
            );
        }
        match problem(&body) {
            Some(words) => anyhow::bail!("{words}"),
            None => {
                anyhow::bail!("the daemon at {place} answered with {status}: is it a different version of paird?")
            }
        }
    }

    fn unreachable(&self, why: &ureq::Error) -> anyhow::Error {
        if matches!(why, ureq::Error::Io(_) | ureq::Error::ConnectionFailed) {
            return no_daemon(&self.endpoint);
        }
        failure(Exit::NoDaemon, format!("no daemon answers on {}: {why}", self.endpoint))
    }
}

fn no_daemon(place: &dyn fmt::Display) -> anyhow::Error {
    let words = format!("no daemon answers on {place}: start paird serve, or set PAIRD_DATA_DIR to its data directory");
    failure(Exit::NoDaemon, words)
}

pub(super) fn address(config: &Config) -> anyhow::Result<SocketAddr> {
    known_address(&config.console_addr_file(), config.console_addr)
        .ok_or_else(|| failure(Exit::NoDaemon, "the console is off: start the daemon with another PAIRD_CONSOLE_ADDR"))
}

/// RFC 9457: the detail is the sentence, the title a heading for it.
fn problem(body: &Value) -> Option<String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("detail").or_else(|| text("title")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_printed_by_detail_or_else_by_title() {
        assert_eq!(problem(&json!({"title": "Conflict", "detail": "it is at rest"})).unwrap(), "it is at rest");
        assert_eq!(problem(&json!({"title": "Conflict", "detail": ""})).unwrap(), "Conflict");
        assert_eq!(problem(&json!([])), None);
    }
}
