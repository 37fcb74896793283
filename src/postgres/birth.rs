//! Which process on which machine this is, so that a later one can see that it is gone.

use std::fs;

use uuid::Uuid;

/// A process and its start: pids come again, births do not.
#[derive(Clone, Debug)]
pub(super) struct Birth {
    pub(super) host: String,
    pub(super) pid: i32,
    /// Clock ticks since boot, 0 where that is unknown.
    pub(super) pid_birth: i64,
    /// Boot and pid namespace; a pid means the same only within one.
    pub(super) pid_space: String,
}

impl Birth {
    pub(super) fn of_this_process() -> Self {
        let pid = nix::unistd::getpid().as_raw();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let namespace = fs::read_link("/proc/self/ns/pid");
        let (pid_birth, pid_space) = match (born(pid), boot, namespace) {
            (Some(birth), Ok(boot), Ok(namespace)) => (birth, format!("{} {}", boot.trim(), namespace.display())),
            // Unknown: like nobody else, so nobody is taken for dead.
            (_, _, _) => (0, Uuid::new_v4().to_string()),
        };
        Self { host: host(), pid, pid_birth, pid_space }
    }

    /// Whether a process of this pid space has ended.
    pub(super) fn is_gone(pid: i32, pid_birth: i64) -> bool {
        born(pid) != Some(pid_birth)
    }
}

/// This machine's name, or this container's.
pub fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// Field 22 of `/proc/<pid>/stat` (proc(5)); `None` for a process that has ended,
/// also if its parent has not noticed yet.
fn born(pid: i32) -> Option<i64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
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
        let birth = Birth::of_this_process();
        assert!(!Birth::is_gone(birth.pid, birth.pid_birth));
        assert!(Birth::is_gone(birth.pid, birth.pid_birth - 1));
    }

    #[test]
    fn a_killed_process_is_gone_before_it_is_reaped() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let birth = born(pid).unwrap();
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while !Birth::is_gone(pid, birth) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
