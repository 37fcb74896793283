//! Which process on which machine this is, so that a later one can tell that it has ended.

use std::{fs, io};

use nix::{errno::Errno, sys::signal, unistd::Pid};
use uuid::Uuid;

/// A process, distinguished by its start time from later ones with the same pid.
#[derive(Clone, Debug)]
pub(super) struct ProcessIdentity {
    pub(super) host: String,
    pub(super) pid: i32,
    /// Clock ticks since boot, 0 where that is unknown.
    pub(super) pid_birth: i64,
    /// Boot and pid namespace; a pid means the same only within one.
    pub(super) pid_space: String,
}

impl ProcessIdentity {
    pub(super) fn of_this_process() -> Self {
        let pid = nix::unistd::getpid().as_raw();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let namespace = fs::read_link("/proc/self/ns/pid");
        let (pid_birth, pid_space) = match (stat(pid).ok().and_then(|stat| start_time(&stat)), boot, namespace) {
            (Some(birth), Ok(boot), Ok(namespace)) => (birth, format!("{} {}", boot.trim(), namespace.display())),
            // Unknown: a random identity matches no other, so no process is mistaken for dead.
            (_, _, _) => (0, Uuid::new_v4().to_string()),
        };
        Self { host: host(), pid, pid_birth, pid_space }
    }

    /// Whether a process of this pid space is known to have ended.
    pub(super) fn is_gone(pid: i32, pid_birth: i64) -> bool {
        // Signal 0 is not sent: it asks whether there is such a process.
        is_gone(stat(pid), || signal::kill(Pid::from_raw(pid), None), pid_birth)
    }
}

/// This machine's name, or this container's.
pub fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

fn stat(pid: i32) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{pid}/stat"))
}

/// Where /proc hides the processes of others (hidepid), it has no file of one that lives, or
/// one that cannot be read: then only the kernel's word counts.
fn is_gone(stat: io::Result<String>, asked: impl FnOnce() -> nix::Result<()>, pid_birth: i64) -> bool {
    match stat {
        Ok(stat) => start_time(&stat) != Some(pid_birth),
        Err(_) => asked() == Err(Errno::ESRCH),
    }
}

/// Field 22 of `/proc/<pid>/stat` (proc(5)); `None` for a process that has ended, also if
/// its parent has not noticed yet.
fn start_time(stat: &str) -> Option<i64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    let birth = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(birth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_a_former_one_of_its_pid_is_gone() {
        let own = ProcessIdentity::of_this_process();
        assert!(!ProcessIdentity::is_gone(own.pid, own.pid_birth));
        assert!(ProcessIdentity::is_gone(own.pid, own.pid_birth - 1));
    }

    #[test]
    fn a_process_that_proc_hides_is_gone_only_by_the_kernels_word() {
        let hidden = |kind: io::ErrorKind| Err(io::Error::from(kind));
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            assert!(!is_gone(hidden(kind), || Err(Errno::EPERM), 7), "another user's");
            assert!(!is_gone(hidden(kind), || Ok(()), 7));
            assert!(is_gone(hidden(kind), || Err(Errno::ESRCH), 7));
        }
    }

    #[test]
    fn a_killed_process_is_gone_before_it_is_reaped() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let birth = start_time(&stat(pid).unwrap()).unwrap();
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while !ProcessIdentity::is_gone(pid, birth) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
