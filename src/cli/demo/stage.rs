//! The demo's surroundings: a sandbox in this process, and a daemon as its child.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use paird_sandbox::{Sandbox, Settings};
use paird_sql::queries::cli;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::act::DemoDriver;
use super::phones::Phones;
use crate::cli::database::Database;
use crate::cli::out::Format;
use crate::cli::{out, phone};
use crate::config::{self, Config};

/// initdb takes seconds on a slow disk.
const START_DEADLINE: Duration = Duration::from_secs(90);
/// The daemon promises to end within 10 s of a SIGTERM.
const STOP_DEADLINE: Duration = Duration::from_secs(15);
const LOG_LINES_SHOWN: usize = 30;

/// Child and cluster end with it, on every way out: the child is killed when it is
/// dropped, and its Postgres ends with the child.
pub(super) struct Stage {
    /// Settings under which the command line finds the demo's daemon.
    config: Config,
    dir: PathBuf,
    sandbox: Option<Sandbox>,
    daemon: Option<Child>,
}

impl Stage {
    /// A directory of its own; nothing runs yet.
    pub(super) fn build(config: &Config) -> anyhow::Result<Self> {
        let dir = config::temp_dir().join(format!("paird-demo-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let config = Config { database_url: None, data_dir: dir.join("data"), ..config.clone() };
        Ok(Self { config, dir, sandbox: None, daemon: None })
    }

    /// Starts everything and waits until the daemon takes commands.
    pub(super) async fn open(&mut self) -> anyhow::Result<DemoDriver> {
        let since = Instant::now();
        let sandbox = Sandbox::start(Settings::default()).await?;
        self.daemon = Some(self.start_daemon(&sandbox.whatsapp_url())?);
        std::fs::create_dir_all(&self.config.data_dir)?;
        std::fs::write(phone::address_file(&self.config), sandbox.admin_url())?;
        let phones = Phones::new(&sandbox.admin_url());
        self.sandbox = Some(sandbox);
        let database = self.wait_for_daemon().await?;
        database.listen(&self.config.event_channel).await?;
        out::line(format_args!("   daemon and Postgres are up after {:.1} s", since.elapsed().as_secs_f32()));
        Ok(DemoDriver::new(database, phones))
    }

    /// Kills the daemon as the kernel would for want of memory: it can finish nothing.
    pub(super) async fn kill_daemon(&mut self) -> anyhow::Result<()> {
        let mut daemon = self.daemon.take().context("no daemon runs")?;
        daemon.kill().await.context("cannot kill the daemon")?;
        // Its Postgres ends a moment after it: only the next one's address is to be found.
        std::fs::remove_file(self.config.embedded_dsn_file()).context("cannot remove the database's address")
    }

    /// Starts a daemon where one was killed.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<Database> {
        let sandbox = self.sandbox.as_ref().context("no sandbox runs")?;
        self.daemon = Some(self.start_daemon(&sandbox.whatsapp_url())?);
        let database = self.wait_for_daemon().await?;
        database.listen(&self.config.event_channel).await?;
        Ok(database)
    }

    /// A clean environment: the user's own settings are for the user's own daemon.
    fn start_daemon(&self, whatsapp_url: &str) -> anyhow::Result<Child> {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").current_dir(&self.dir).env_clear();
        command.env("PATH", std::env::join_paths(config::executable_dirs())?);
        command.env("HOME", &self.dir);
        command.env("PAIRD_DATA_DIR", &self.config.data_dir);
        command.env("PAIRD_WHATSAPP_URL", whatsapp_url);
        command.env("PAIRD_EVENT_CHANNEL", &self.config.event_channel);
        command.env("PAIRD_COMMAND_CHANNEL", &self.config.command_channel);
        command.env("PAIRD_CONSOLE_ADDR", "127.0.0.1:0");
        command.env("PAIRD_LOG", &self.config.log);
        if let Some(bin) = &self.config.postgres_bin {
            command.env("PAIRD_POSTGRES_BIN", bin);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        command.spawn().context("cannot start the daemon")
    }

    async fn wait_for_daemon(&mut self) -> anyhow::Result<Database> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self.daemon_exit()? {
                bail!("the daemon ended at once: {status}");
            }
            if let Ok(database) = Database::connect(&self.config, Format::Text).await
                && let Ok(daemons) = cli::count_daemons().bind(&database.client).one().await
                && daemons.live > 0
            {
                return Ok(database);
            }
            if Instant::now() > deadline {
                bail!("the daemon was not ready within {} s", START_DEADLINE.as_secs());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn daemon_exit(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        match &mut self.daemon {
            Some(daemon) => Ok(daemon.try_wait()?),
            None => Ok(None),
        }
    }

    /// Addresses and commands for looking around in the running demo.
    pub(super) fn what_to_try(&self) -> String {
        let dsn = std::fs::read_to_string(self.config.embedded_dsn_file()).unwrap_or_default();
        let admin = self.sandbox.as_ref().map_or_else(String::new, Sandbox::admin_url);
        let dir = self.config.data_dir.display();
        format!(
            "\nAll is left running until Ctrl-C:\n\
             \x20 database    DATABASE_URL=\"{dsn}\"\n\
             \x20 psql        psql \"{dsn}\"\n\
             \x20 sandbox     {admin}\n\
             \x20 log         {log}\n\
             In another terminal:\n\
             \x20 export PAIRD_DATA_DIR={dir}\n\
             \x20 alias paird={exe}\n\
             \x20 paird status\n\
             \x20 paird accounts add lobby && paird pair lobby     # draws a QR and waits\n\
             \x20 paird phone scan lobby --number 436609998887     # in a third one: a simulated phone scans it\n\
             \x20 paird phone devices 436609998887\n\
             \x20 paird phone write 436609998888 --to lobby hello  # another simulated phone writes to it\n\
             \x20 paird send lobby 436609998888 hi --wait          # it answers\n\
             \x20 paird phone chats 436609998888\n\
             \x20 paird messages lobby --follow\n\
             \x20 paird events --follow\n\
             \x20 psql \"{dsn}\" -c 'TABLE audit_log'",
            dsn = dsn.trim(),
            log = self.log_file().display(),
            exe = std::env::current_exe().unwrap_or_else(|_| "paird".into()).display(),
        )
    }

    /// Ends daemon, cluster and sandbox, and leaves nothing behind.
    pub(super) async fn strike(mut self) {
        self.stop().await;
        let _ = std::fs::remove_dir_all(&self.dir);
    }

    /// Likewise, but with the end of the daemon's log shown and its directory kept.
    pub(super) async fn strike_but_keep_the_log(mut self) {
        self.stop().await;
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LOG_LINES_SHOWN)..).unwrap_or_default();
        out::line(format_args!("the daemon's last words ({} has them all):", self.log_file().display()));
        for line in tail {
            out::line(format_args!("   {line}"));
        }
    }

    async fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            if let Some(pid) = daemon.id().and_then(|pid| i32::try_from(pid).ok()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
            if timeout(STOP_DEADLINE, daemon.wait()).await.is_err() {
                out::remark("the daemon did not stop when asked to; killing it");
                let _ = daemon.kill().await;
            }
        }
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }
}
