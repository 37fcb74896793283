use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::{DEADLINE, Patience, until};

/// A `paird serve` process. Killed when it is dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Only these settings, none of the tester's own. The log goes to a file in `dir`.
    pub fn start<'a>(dir: &Path, settings: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self::start_by(Command::new(super::paird()), dir, settings)
    }

    /// The same by another command, which ends in the program.
    pub fn start_by<'a>(mut command: Command, dir: &Path, settings: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let log = dir.join(format!("daemon-{}.log", Uuid::new_v4().simple()));
        command.arg("serve").env_clear().current_dir(dir).env("HOME", dir);
        #[expect(clippy::disallowed_methods, reason = "the child finds Postgres on the tester's path")]
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(settings);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap()).kill_on_drop(true);
        Self { child: command.spawn().unwrap(), log }
    }

    /// Waits until it takes commands.
    pub async fn up(&mut self) {
        self.says("paird is up").await;
    }

    /// Waits for a line of the log that holds this text.
    pub async fn says(&mut self, text: &str) -> String {
        let patience = Patience::of(DEADLINE);
        loop {
            if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the daemon ended with {status} before it said {text:?}:\n{}", self.log());
            }
            assert!(patience.lasts().await, "it never said {text:?}:\n{}", self.log());
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// To be read after its end.
    pub fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id().unwrap()).unwrap()
    }

    /// kill -9, and gone.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// SIGSTOP, and all of its threads have stopped.
    pub async fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        until("a stopped process", || async {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
            status.contains("State:\tT").then_some(())
        })
        .await;
    }

    /// Open files and threads.
    pub fn resources(&self) -> (usize, usize) {
        let pid = self.child.id().unwrap();
        let count = |of: &str| std::fs::read_dir(format!("/proc/{pid}/{of}")).unwrap().count();
        (count("fd"), count("task"))
    }

    /// SIGTERM; it must end within ten seconds.
    pub async fn terminate(self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let started = tokio::time::Instant::now();
        let status = self.ended().await;
        assert!(started.elapsed().as_secs() < 10, "it took {:?} to stop", started.elapsed());
        status
    }

    /// Waits until it ends by itself.
    pub async fn ended(mut self) -> ExitStatus {
        tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("the daemon never ended").unwrap()
    }

    /// Waits until it ends by itself, and reads what it said.
    pub async fn last_words(self) -> (ExitStatus, String) {
        let log = self.log.clone();
        let status = self.ended().await;
        (status, std::fs::read_to_string(log).unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until its log satisfies the condition.
    pub async fn log_until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        until(what, || async { is_so(&self.log()).then_some(()) }).await;
    }
}
