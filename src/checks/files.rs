//! The data directory and what lies in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::config::Config;
use crate::private_file::is_private;

/// Below this Postgres is about to stop writing.
const LEAST_FREE_BYTES: u64 = 200 << 20;
const LOW_FREE_BYTES: u64 = 1 << 30;

pub(crate) fn look(config: &Config) -> Vec<Finding> {
    let dir = &config.data_dir;
    if !dir.exists() {
        let found = format!("{} is not there", dir.display());
        let advice = "start paird serve, which makes it, or set PAIRD_DATA_DIR to the daemon's";
        return vec![Finding::warn("files", found, advice)];
    }
    let mut findings = vec![free_space(dir)];
    findings.extend(secret("key file", &config.master_key_file));
    findings.extend(secret("token file", &config.console_token_file));
    findings.extend(cluster(config));
    findings
}

fn free_space(dir: &Path) -> Finding {
    let (free, path) = match statvfs(dir) {
        Ok(of) => (of.blocks_available().saturating_mul(of.fragment_size()), dir.display()),
        Err(why) => {
            let advice = "run it as the user that runs the daemon";
            return Finding::warn("disk", format!("{}: {why}", dir.display()), advice);
        }
    };
    let found = format!("{} MB free below {path}", free >> 20);
    match free {
        0..LEAST_FREE_BYTES => Finding::fail("disk", found, "make room now: a database that cannot write stops"),
        LEAST_FREE_BYTES..LOW_FREE_BYTES => Finding::warn("disk", found, "make room soon"),
        _ => Finding::ok("disk", found),
    }
}

/// A file that only its owner may read. Its absence is reported by another check.
fn secret(check: &'static str, path: &Path) -> Option<Finding> {
    let metadata = fs::metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o7777;
    let shown = path.display();
    Some(if is_private(mode, metadata.uid(), nix::unistd::geteuid().as_raw()) {
        Finding::ok(check, format!("{shown}, mode {mode:04o}"))
    } else {
        let advice = format!("chmod 600 {shown}; if others had access to this machine, replace what it holds");
        Finding::fail(check, format!("{shown} is open to others, mode {mode:04o}"), advice)
    })
}

fn cluster(config: &Config) -> Option<Finding> {
    let cluster = config.data_dir.join("postgres");
    let has_address = config.embedded_dsn_file().exists();
    let shown = cluster.display();
    match (&config.database_url, cluster.exists()) {
        (None, true) if has_address => {
            Some(Finding::ok("embedded", format!("a cluster in {shown}, and a daemon that runs it")))
        }
        (None, true) => Some(Finding::warn(
            "embedded",
            format!("a cluster in {shown}, and no daemon that runs it"),
            "start paird serve",
        )),
        (None, false) => Some(Finding::warn(
            "embedded",
            format!("no cluster in {shown}"),
            "start paird serve, which makes one, or set DATABASE_URL",
        )),
        (Some(_), true) => Some(Finding::warn(
            "embedded",
            format!("DATABASE_URL is set, and the cluster in {shown} is not used"),
            "if its accounts are wanted, unset DATABASE_URL; if not, remove it",
        )),
        (Some(_), false) => None,
    }
}
