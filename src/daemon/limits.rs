//! Resource limits of this process: as many open files as permitted, and no core dumps.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

/// The processes that the daemon starts inherit them.
pub(super) fn set() {
    match raise_open_files() {
        Ok(most) => info!(most, "raised the limit of open files"),
        Err(why) => warn!(%why, "failed to raise the limit of open files"),
    }
    // A core dump contains the master key.
    if let Err(why) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        warn!(%why, "failed to disable core dumps");
    }
}

/// Shells and systemd set the soft limit to 1,024, for programs that use select(2). Each account
/// needs a socket or two.
fn raise_open_files() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}
