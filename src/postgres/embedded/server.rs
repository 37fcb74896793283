use std::ffi::OsString;
use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;
use tracing::warn;

use super::EmbeddedError;
use super::identity::Identity;

/// The command, user and log file of the server.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) identity: Identity,
    pub(super) log: PathBuf,
}

impl Launch {
    fn spawn(&self) -> io::Result<Child> {
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log)?;
        // One of before may be open to others.
        log.set_permissions(Permissions::from_mode(0o600))?;
        self.identity
            .command(&self.program, Signal::SIGINT)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
    }
}

/// The server process and the thread that is its parent: the thread lives as long as
/// the server should, since the server ends with it. A server that crashed is started again.
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    ended: watch::Receiver<bool>,
}

#[derive(Default)]
struct State {
    pid: Option<u32>,
    stopping: bool,
    exits: u32,
}

impl Server {
    pub(super) fn start(launch: Launch) -> Result<Self, EmbeddedError> {
        let state = Arc::new(Mutex::new(State::default()));
        let (end, ended) = watch::channel(false);
        let shared = Arc::clone(&state);
        thread::Builder::new()
            .name("postgres-parent".to_owned())
            .spawn(move || {
                parent(&launch, &shared);
                end.send_replace(true);
            })
            .map_err(|wrong| EmbeddedError::NotStarted(wrong.to_string()))?;
        Ok(Self { state, ended })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        locked(&self.state).pid
    }

    /// How often it ended unexpectedly.
    pub(super) fn exits(&self) -> u32 {
        locked(&self.state).exits
    }

    /// Ends it: rolls back what runs and writes a checkpoint; after ten seconds, at once.
    pub(super) async fn stop(&self) {
        self.order_end(Signal::SIGINT);
        let mut ended = self.ended.clone();
        if tokio::time::timeout(Duration::from_secs(10), ended.wait_for(|ended| *ended)).await.is_err() {
            warn!("the private Postgres does not end by itself");
            self.order_end(Signal::SIGQUIT);
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    fn order_end(&self, signal: Signal) {
        let mut state = locked(&self.state);
        state.stopping = true;
        if let Some(pid) = state.pid.and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.order_end(Signal::SIGINT);
    }
}

fn parent(launch: &Launch, state: &Mutex<State>) {
    loop {
        let mut child = {
            let mut state = locked(state);
            if state.stopping {
                return;
            }
            match launch.spawn() {
                Ok(child) => {
                    state.pid = Some(child.id());
                    Some(child)
                }
                Err(wrong) => {
                    warn!(%wrong, "the private Postgres cannot be started");
                    None
                }
            }
        };
        let status = child.as_mut().map(Child::wait);
        let exits = {
            let mut state = locked(state);
            state.pid = None;
            if state.stopping {
                return;
            }
            state.exits += 1;
            state.exits
        };
        if let Some(Ok(status)) = status {
            warn!(%status, "the private Postgres ended: starting it again");
        }
        thread::sleep(Duration::from_millis(100 * u64::from(exits.min(20))));
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
