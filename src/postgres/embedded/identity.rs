use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, User, chown, geteuid};

use super::EmbeddedError;

/// As whom the server runs: ourselves, or, since Postgres refuses root, its own user.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    Ourselves,
    Other { uid: Uid, gid: Gid, reach: Reach },
}

/// Whether the other user can get to the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Free,
    /// A closed directory (root's home) is on the way: the server keeps the one
    /// capability that passes it.
    ThroughClosed,
}

impl Identity {
    /// The other user is `postgres`, which its packages create. A user that other services run
    /// as, such as `nobody`, would give them access to the cluster.
    pub(super) fn choose(data_dir: &Path) -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        let user = User::from_name("postgres").ok().flatten();
        let User { uid, gid, .. } = user.ok_or(EmbeddedError::NoUser)?;
        let is_open =
            |dir: &Path| fs::metadata(dir).is_ok_and(|found| found.mode() & 0o001 != 0 || found.uid() == uid.as_raw());
        let reach = if data_dir.ancestors().skip(1).all(is_open) { Reach::Free } else { Reach::ThroughClosed };
        Ok(Self::Other { uid, gid, reach })
    }

    pub(super) fn is_other(&self) -> bool {
        matches!(self, Self::Other { .. })
    }

    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Ourselves => geteuid().as_raw(),
            Self::Other { uid, .. } => uid.as_raw(),
        }
    }

    /// Makes a directory private and gives it to the server's user. Checks and changes go through
    /// one open descriptor, so the directory cannot be swapped meanwhile.
    pub(super) fn close_and_own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let failed = |what, source| EmbeddedError::Files { what, path: path.to_owned(), source };
        let mut options = fs::OpenOptions::new();
        let opened = options.read(true).custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits()).open(path);
        let dir = opened.map_err(|wrong| failed("cannot open", wrong))?;
        let found = dir.metadata().map_err(|wrong| failed("cannot read", wrong))?;
        if ![geteuid().as_raw(), self.uid()].contains(&found.uid()) {
            let source = io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user");
            return Err(failed("cannot use", source));
        }
        dir.set_permissions(fs::Permissions::from_mode(0o700)).map_err(|wrong| failed("cannot close", wrong))?;
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid, .. } => std::os::unix::fs::fchown(&dir, Some(uid.as_raw()), Some(gid.as_raw()))
                .map_err(|wrong| failed("cannot give away", wrong)),
        }
    }

    /// Gives a path to the server's user.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid, .. } => chown(path, Some(*uid), Some(*gid)).map_err(|wrong| EmbeddedError::Files {
                what: "cannot give away",
                path: path.to_owned(),
                source: wrong.into(),
            }),
        }
    }

    /// A command that runs as this identity, isolated from our terminal's signals, and receives
    /// `at_our_end` when the calling thread ends, even by a crash.
    pub(super) fn command(&self, program: &Path, at_our_end: Signal) -> Command {
        let mut command = match self {
            Self::Other { uid, gid, reach: Reach::ThroughClosed } => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups"])
                    .args(["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"])
                    .arg(format!("--pdeathsig={}", at_our_end.as_str().trim_start_matches("SIG")))
                    .arg(program);
                command
            }
            Self::Other { uid, gid, reach: Reach::Free } => {
                let mut command = Command::new(program);
                command.uid(uid.as_raw()).gid(gid.as_raw());
                command
            }
            Self::Ourselves => Command::new(program),
        };
        command.process_group(0).current_dir("/");
        // The user's own settings must not reach our server or initdb.
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        tie_to_this_thread(&mut command, at_our_end);
        command
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "only prctl and getppid run between fork and exec; both are async-signal-safe")]
fn tie_to_this_thread(command: &mut Command, at_our_end: Signal) {
    let parent = nix::unistd::getpid();
    // Runs after the change of user, which would clear the setting.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(at_our_end)?;
            if nix::unistd::getppid() == parent { Ok(()) } else { Err(nix::errno::Errno::ESRCH.into()) }
        });
    }
}

/// Elsewhere a server whose daemon was killed is ended by the next start.
#[cfg(not(target_os = "linux"))]
fn tie_to_this_thread(_command: &mut Command, _at_our_end: Signal) {}
