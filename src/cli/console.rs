//! The running daemon's HTTP API, as a caller of it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, RequestBuilder, typestate::WithoutBody};

use super::exit::{Exit, failure};
use crate::config::Config;

/// A drain waits until every account has disconnected.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Cheap to clone. Its requests block, and run on a thread for such work.
#[derive(Clone)]
pub(super) struct Console {
    address: SocketAddr,
    token: String,
    token_file: String,
    agent: Agent,
}

impl Console {
    /// The daemon of this data directory.
    ///
    /// # Errors
    /// No daemon has left a token here, or it cannot be read.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let file = &config.console_token_file;
        let token = std::fs::read_to_string(file).map_err(|why| {
            let file = file.display();
            if why.kind() == std::io::ErrorKind::NotFound {
                failure(Exit::NoDaemon, format!("no daemon has run here ({file} is not there): start paird serve, or set PAIRD_DATA_DIR to its data directory"))
            } else {
                anyhow::anyhow!("{file}: {why}; run as the user that runs the daemon")
            }
        })?;
        let agent = Agent::config_builder()
            // Never one from the environment, which would see the token.
            .proxy(None)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            .build();
        Ok(Self {
            address: address(config)?,
            token: token.trim().to_owned(),
            token_file: file.display().to_string(),
            agent: agent.into(),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.agent.get(self.url(path))).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let (me, path) = (self.clone(), path.to_owned());
        let ask = move || {
            let request = me.agent.post(me.url(&path)).header("authorization", format!("Bearer {}", me.token));
            me.answer(request.send_json(body))
        };
        tokio::task::spawn_blocking(ask).await?
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.agent.delete(self.url(path))).await
    }

    async fn ask(&self, request: RequestBuilder<WithoutBody>) -> anyhow::Result<Value> {
        let me = self.clone();
        let request = request.header("authorization", format!("Bearer {}", self.token));
        tokio::task::spawn_blocking(move || me.answer(request.call())).await?
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let address = self.address;
        let mut answer = answer.map_err(|why| self.unreachable(&why))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(|why| self.unreachable(&why))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        if status == 401 || status == 403 {
            let file = &self.token_file;
            anyhow::bail!(
                "the daemon on {address} does not take the token of {file}: set PAIRD_DATA_DIR or PAIRD_CONSOLE_TOKEN_FILE to those of that daemon"
            );
        }
        match problem(&body) {
            Some(words) => anyhow::bail!("{words}"),
            None => anyhow::bail!(
                "the daemon on {address} answers with {status}: is it of another version than this paird?"
            ),
        }
    }

    fn unreachable(&self, why: &ureq::Error) -> anyhow::Error {
        let address = self.address;
        let words = if matches!(why, ureq::Error::Io(_) | ureq::Error::ConnectionFailed) {
            format!("no daemon answers on {address}: start paird serve, or set PAIRD_DATA_DIR to its data directory")
        } else {
            format!("no daemon answers on {address}: {why}")
        };
        failure(Exit::NoDaemon, words)
    }
}

/// Where the daemon says that it listens, else where the settings say that it would.
pub(super) fn address(config: &Config) -> anyhow::Result<SocketAddr> {
    let told = std::fs::read_to_string(config.console_addr_file());
    let told = told.ok().and_then(|text| text.trim().parse().ok());
    told.or(config.console_addr)
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
