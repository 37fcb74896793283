//! A process's figures from the kernel.

use std::time::Duration;

use tokio::time::Instant;

/// The kernel counts a process's time in these (USER_HZ, the same on every Linux).
const TICKS_PER_SECOND: u64 = 100;
/// An allocator and a kernel give back at their own pace.
const SETTLED: Duration = Duration::from_secs(20);

/// Resident memory now, in KiB (`smaps_rollup`, which is exact where `status` is not).
pub fn resident(pid: i32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Rss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Resident memory in KiB once it has settled: the median of five looks.
pub async fn settled(pid: i32) -> f64 {
    tokio::time::sleep(SETTLED).await;
    let mut looks = Vec::new();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        looks.push(resident(pid));
    }
    looks.sort_unstable();
    looks[looks.len() / 2] as f64
}

/// Processor time used so far.
pub fn used(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may contain blanks; the fields come after its closing parenthesis.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// The share of one core, in percent, that a process takes for so long.
pub async fn share(pid: i32, over: Duration) -> f64 {
    let (began, before) = (Instant::now(), used(pid));
    tokio::time::sleep(over).await;
    100.0 * (used(pid) - before).as_secs_f64() / began.elapsed().as_secs_f64()
}
