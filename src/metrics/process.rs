//! This process as the kernel sees it.

use std::fs;

use nix::sys::resource::{Resource, getrlimit};

/// Absent where the kernel does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub resident_bytes: Option<u64>,
    pub virtual_bytes: Option<u64>,
    pub open_files: Option<u64>,
    /// The limit of open files.
    pub most_files: Option<u64>,
    pub cpu_seconds: Option<f64>,
    /// Seconds since 1970.
    pub started: Option<f64>,
}

impl Usage {
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").ok();
        let stat = fs::read_to_string("/proc/self/stat").ok();
        Self {
            resident_bytes: status.as_deref().and_then(|status| memory(status, "VmRSS:")),
            virtual_bytes: status.as_deref().and_then(|status| memory(status, "VmSize:")),
            most_files: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(most, _)| most),
            open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
            cpu_seconds: stat.as_deref().and_then(cpu),
            started: stat.as_deref().and_then(|stat| {
                let system = fs::read_to_string("/proc/stat").ok()?;
                started(stat, &system)
            }),
        }
    }
}

/// `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// `VmRSS:  1234 kB`
fn memory(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// User and system time are fields 14 and 15; the second field, a name in brackets, may hold blanks.
fn cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
}

/// Field 22 is in ticks since the machine booted; `/proc/stat` has that time as `btime 1234`.
fn started(stat: &str, system: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let boot: f64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_program_whose_name_has_blanks_and_brackets_is_read_too() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 1 2 3 4 250 50 0 0 20 0 1 0 5 6 7";
        assert_eq!(super::cpu(stat), Some(3.0));
        assert_eq!(super::started(stat, "cpu 1 2\nbtime 1000\n"), Some(1000.05));
        assert_eq!(super::memory("Name:\tx\nVmRSS:\t   2048 kB\n", "VmRSS:"), Some(2048 * 1024));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let usage = super::Usage::now();
        assert!(usage.resident_bytes.is_some_and(|bytes| bytes > 100_000), "{usage:?}");
        assert!(usage.open_files.is_some_and(|files| files > 2), "{usage:?}");
        assert!(usage.cpu_seconds.is_some(), "{usage:?}");
        assert!(usage.virtual_bytes > usage.resident_bytes && usage.most_files > usage.open_files, "{usage:?}");
    }
}
