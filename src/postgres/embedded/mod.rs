//! A private Postgres in the data directory, for who has none.
//!
//! ```text
//! <data>/postgres       the cluster; made as postgres.new and renamed when it is whole
//! <data>/postgres.lock  held while a daemon uses it
//! <data>/postgres.log   what the server says
//! <data>/run            its unix socket, the only way in
//! ```

mod binaries;
mod identity;
mod server;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;
use tokio_postgres::error::SqlState;
use tracing::{info, warn};

use self::binaries::Binaries;
use self::identity::Identity;
use self::server::{Launch, Server};

const DATABASE: &str = "paird";
/// Of `sockaddr_un.sun_path`, less the socket's own name and the final null.
const LONGEST_SOCKET_DIR: usize = 107 - "/.s.PGSQL.5432.lock".len();
/// A former server ends cleanly and a new one recovers within this, or something is wrong.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Keeps phone numbers out of its log: the detail of a broken unique index is the row.
const TERSE: &str = "log_error_verbosity=terse";

/// The reason why the private Postgres cannot run.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    #[error(
        "no Postgres server found in PATH or /usr/lib/postgresql: install it (apt install postgresql), \
         name its directory in PAIRD_POSTGRES_BIN, or set DATABASE_URL"
    )]
    NotInstalled,
    #[error("PAIRD_POSTGRES_BIN: no initdb and postgres in {0}")]
    NotThere(PathBuf),
    #[error("the data directory {0} is used by another paird")]
    InUse(PathBuf),
    #[error(
        "Postgres refuses to run as root, and there is no user postgres: make one (useradd --system postgres), \
         run paird as an ordinary user, or set DATABASE_URL"
    )]
    NoUser,
    #[error("{what} {path}: {source}")]
    Files { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{program} failed: {said}")]
    Failed { program: &'static str, said: String },
    #[error("the Postgres server did not start: {0}")]
    NotStarted(String),
}

/// Options of the cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the server's programs, if it is to be no other.
    pub bin: Option<PathBuf>,
    /// Where those are looked for otherwise: `PATH`.
    pub executable_dirs: Vec<PathBuf>,
    /// For the socket, if the data directory's path is too long for one.
    pub temp_dir: PathBuf,
    /// Keep nothing safe from a power cut, but from a crash of the server: for tests.
    pub fast: bool,
}

/// The directory of the server's programs.
///
/// # Errors
/// There is none.
pub fn programs(options: &Options) -> Result<PathBuf, EmbeddedError> {
    Binaries::find(options.bin.as_deref(), &options.executable_dirs).map(|found| found.dir().to_owned())
}

/// A running private Postgres. Dropping it, or the process ending in any way, ends the server.
pub struct Embedded {
    binaries: Binaries,
    identity: Identity,
    socket_dir: PathBuf,
    server: Server,
    _lock: File,
}

impl Embedded {
    /// Makes the cluster if there is none, starts it, and waits until it answers. A
    /// server that a killed daemon left behind is ended and waited for first.
    ///
    /// # Errors
    /// One line that says what is missing or what the server said.
    pub async fn start(data_dir: &Path, options: Options) -> Result<Self, EmbeddedError> {
        let binaries = Binaries::find(options.bin.as_deref(), &options.executable_dirs)?;
        let (data_dir, bin) = (data_dir.to_owned(), binaries.clone());
        let is_fast = options.fast;
        let prepared = tokio::task::spawn_blocking(move || prepare(&data_dir, &bin, &options)).await;
        let Prepared { lock, identity, cluster, socket_dir, log } =
            prepared.map_err(|wrong| EmbeddedError::NotStarted(wrong.to_string()))??;
        let launch = Launch {
            program: binaries.program("postgres"),
            arguments: arguments(&cluster, &socket_dir, is_fast),
            identity: identity.clone(),
            log: log.clone(),
        };
        let server = Server::start(launch)?;
        let embedded = Self { binaries, identity, socket_dir, server, _lock: lock };
        embedded.wait_until_ready(&log).await?;
        info!(cluster = %cluster.display(), "private Postgres is up");
        Ok(embedded)
    }

    /// The connection string of the daemon's database.
    pub fn dsn(&self) -> String {
        self.dsn_of(DATABASE)
    }

    /// Makes another database, empty or a copy of one without connections.
    ///
    /// # Errors
    /// `createdb`'s words.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<String, EmbeddedError> {
        let mut arguments = vec!["-U", DATABASE];
        if let Some(template) = template {
            arguments.extend(["-T", template]);
        }
        arguments.push(name);
        self.run("createdb", &arguments).await?;
        Ok(self.dsn_of(name))
    }

    async fn run(&self, program: &'static str, arguments: &[&str]) -> Result<(), EmbeddedError> {
        let path = self.binaries.program(program);
        let mut command = tokio::process::Command::new(&path);
        command.arg("-h").arg(&self.socket_dir).args(arguments).stdin(Stdio::null());
        let output = command.output().await.map_err(files("cannot run", &path))?;
        if output.status.success() {
            return Ok(());
        }
        Err(EmbeddedError::Failed { program, said: last_line(&String::from_utf8_lossy(&output.stderr)) })
    }

    /// The server's process. It changes when the server had to be started again.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Ends the server cleanly and waits for it.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    fn dsn_of(&self, database: &str) -> String {
        let host = self.socket_dir.display().to_string().replace('\\', "\\\\").replace('\'', "\\'");
        format!("host='{host}' user={DATABASE} dbname={database}")
    }

    async fn wait_until_ready(&self, log: &Path) -> Result<(), EmbeddedError> {
        let started = Instant::now();
        loop {
            let refused = match tokio_postgres::connect(&self.dsn(), tokio_postgres::NoTls).await {
                Ok(_) => return Ok(()),
                Err(refused) => refused,
            };
            if refused.code() == Some(&SqlState::INVALID_CATALOG_NAME) {
                self.create_database(DATABASE, None).await?;
                continue;
            }
            if self.server.exits() >= 3 || started.elapsed() > RECOVERY_TIMEOUT {
                let said = fs::read_to_string(log).map(|text| last_line(&text)).unwrap_or_default();
                return Err(EmbeddedError::NotStarted(said));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("socket_dir", &self.socket_dir)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

struct Prepared {
    lock: File,
    identity: Identity,
    cluster: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
}

fn prepare(data_dir: &Path, binaries: &Binaries, options: &Options) -> Result<Prepared, EmbeddedError> {
    make_dir(data_dir, 0o700)?;
    let data_dir = fs::canonicalize(data_dir).map_err(files("cannot find", data_dir))?;
    let lock = lock(&data_dir)?;
    let identity = Identity::choose(&data_dir)?;
    if identity.is_other() {
        // Its own directory must let the server's user pass; it lists nothing to it.
        fs::set_permissions(&data_dir, Permissions::from_mode(0o711)).map_err(files("cannot open", &data_dir))?;
    }
    let cluster = data_dir.join("postgres");
    if !cluster.exists() {
        make_cluster(&data_dir, &cluster, binaries, &identity, options.fast)?;
    }
    await_former_server(&cluster)?;
    let socket_dir = socket_dir(&data_dir, &options.temp_dir, &identity)?;
    Ok(Prepared { lock, identity, cluster, socket_dir, log: data_dir.join("postgres.log") })
}

/// Holds off a second daemon. A daemon that was replaced a moment ago may still be ending.
fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("postgres.lock");
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let lock = opened.map_err(files("cannot write", &path))?;
    // An older version may have left it open to other users, who could hold the lock for good.
    lock.set_permissions(Permissions::from_mode(0o600)).map_err(files("cannot close", &path))?;
    let started = Instant::now();
    while lock.try_lock().is_err() {
        if started.elapsed() > Duration::from_secs(15) {
            return Err(EmbeddedError::InUse(data_dir.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(lock)
}

fn make_cluster(
    data_dir: &Path,
    cluster: &Path,
    binaries: &Binaries,
    identity: &Identity,
    is_fast: bool,
) -> Result<(), EmbeddedError> {
    let unfinished = data_dir.join("postgres.new");
    let started = Instant::now();
    // A killed initdb may still be writing there for a moment.
    while let Err(wrong) = fs::remove_dir_all(&unfinished) {
        if wrong.kind() == io::ErrorKind::NotFound {
            break;
        }
        if started.elapsed() > Duration::from_secs(10) {
            return Err(files("cannot remove", &unfinished)(wrong));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    info!(cluster = %cluster.display(), "making a private Postgres");
    make_dir(&unfinished, 0o700)?;
    identity.own(&unfinished)?;
    let initdb = binaries.program("initdb");
    let output = identity
        .command(&initdb, Signal::SIGKILL)
        .arg("-D")
        .arg(&unfinished)
        .args(["-U", DATABASE])
        // The only way in is the socket, which its private directory protects.
        .args(["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"])
        .args(is_fast.then_some("--no-sync"))
        .stdin(Stdio::null())
        .output()
        .map_err(files("cannot run", &initdb))?;
    if !output.status.success() {
        let said = last_line(&String::from_utf8_lossy(&output.stderr));
        return Err(EmbeddedError::Failed { program: "initdb", said });
    }
    fs::rename(&unfinished, cluster).map_err(files("cannot rename", &unfinished))?;
    File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(files("cannot sync", data_dir))
}

/// We hold the lock, so a server that still runs in our cluster has lost its daemon. Stops it.
fn await_former_server(cluster: &Path) -> Result<(), EmbeddedError> {
    let pid_file = cluster.join("postmaster.pid");
    let started = Instant::now();
    let mut told = false;
    loop {
        let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok()).filter(|pid| *pid > 1);
        match pid.filter(|pid| is_postgres(*pid)) {
            Some(pid) if !told => {
                warn!(pid, "a former Postgres server still runs: waiting for its end");
                let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
                told = true;
            }
            Some(_) => {}
            // Left by a crash; the number may be another program's by now.
            None => return fs::remove_file(&pid_file).map_err(files("cannot remove", &pid_file)),
        }
        if started.elapsed() > RECOVERY_TIMEOUT {
            return Err(EmbeddedError::NotStarted("a former server does not end".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_postgres(pid: i32) -> bool {
    if kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) {
        return false;
    }
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // `pid (name) state …`, proc(5); one that ended and was not reaped is gone.
        Ok(stat) => stat
            .split_once('(')
            .and_then(|(_, rest)| rest.rsplit_once(") "))
            .is_some_and(|(name, rest)| matches!(name, "postgres" | "postmaster") && !rest.starts_with(['Z', 'X'])),
        // There is no /proc, or the process has just ended, which the next check will see.
        Err(_) => !Path::new("/proc/self").exists(),
    }
}

/// A directory that only the server's user and we can enter: it stands for a password.
fn socket_dir(data_dir: &Path, temp_dir: &Path, identity: &Identity) -> Result<PathBuf, EmbeddedError> {
    let mut dir = data_dir.join("run");
    if dir.as_os_str().len() > LONGEST_SOCKET_DIR {
        let inode = fs::metadata(data_dir).map_err(files("cannot read", data_dir))?.ino();
        dir = temp_dir.join(format!("paird-{inode:x}"));
    }
    make_dir(&dir, 0o700)?;
    identity.close_and_own(&dir)?;
    Ok(dir)
}

fn arguments(cluster: &Path, socket_dir: &Path, is_fast: bool) -> Vec<std::ffi::OsString> {
    let mut sockets = std::ffi::OsString::from("unix_socket_directories=");
    // Commas separate directories there; quotes keep one whole.
    sockets.push(format!("\"{}\"", socket_dir.display()));
    let mut arguments: Vec<std::ffi::OsString> = vec!["-D".into(), cluster.into(), "-c".into(), sockets];
    let fixed =
        ["listen_addresses=", "max_connections=200", "log_min_messages=warning", "timezone=UTC", "jit=off", TERSE];
    let fast = ["fsync=off", "full_page_writes=off"];
    for setting in fixed.iter().chain(fast.iter().filter(|_| is_fast)) {
        arguments.push("-c".into());
        arguments.push(setting.into());
    }
    arguments
}

fn make_dir(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(files("cannot make", path))
}

fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Files { what, path, source }
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned()
}
