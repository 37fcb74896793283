//! A Postgres of a test's own, from a prepared cluster.
//!
//! `initdb` and the migrations take longer than most tests. They run once for each set of
//! migrations and each installed server, into `target/tmp/clusters`; each test starts a
//! server on a copy. The suites' processes share what is prepared: a lock lets one of them
//! make it, a rename makes it visible whole, and nothing writes to it afterwards.
//!
//! A cluster is 1,300 files, and to create and remove them costs more than to fill them. So
//! a test that is done leaves its copy to the next one, which makes it equal again.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use paird::{
    config,
    postgres::{
        embedded::{Embedded, Options},
        migrate::migrate,
        pool::Dsn,
    },
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::target_tmp;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/migrations");

/// Starts a server in this directory. Where it has none yet, its database gets the schema.
pub async fn start(dir: &Path) -> Embedded {
    start_by(dir, None).await
}

/// The same with the server's programs of another directory.
pub(crate) async fn start_by(dir: &Path, bin: Option<PathBuf>) -> Embedded {
    if !dir.join("postgres").exists() {
        let from = prepared().await;
        let to = dir.join("postgres");
        tokio::task::spawn_blocking(move || lay(&from, &to).unwrap()).await.unwrap();
    }
    Embedded::start(dir, Options { fast: true, ..config::embedded_postgres(bin) }).await.unwrap()
}

/// Starts a server in this directory. Where it has none yet, its database is empty.
pub async fn start_as_is(dir: &Path) -> Embedded {
    Embedded::start(dir, Options { fast: true, ..config::embedded_postgres(None) }).await.unwrap()
}

/// Waits until the dropped server of this directory has ended, and removes all of it.
pub fn remove(dir: &Path) {
    let cluster = dir.join("postgres");
    let pid_file = cluster.join("postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(10);
    while pid_file.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The server's last process removes the file, so nothing is written after that.
    if !pid_file.exists() {
        let used = used(&clusters().join(key()));
        let _ = fs::create_dir_all(&used);
        let _ = fs::rename(&cluster, used.join(Uuid::new_v4().simple().to_string()));
    }
    let _ = fs::remove_dir_all(dir);
}

fn clusters() -> PathBuf {
    target_tmp().join("clusters")
}

/// Copies of the prepared cluster that tests are done with.
fn used(prepared: &Path) -> PathBuf {
    prepared.with_extension("used")
}

/// A cluster that was stopped in order, with the schema in its database.
async fn prepared() -> PathBuf {
    let clusters = clusters();
    let whole = clusters.join(key());
    if whole.exists() {
        return whole;
    }
    fs::create_dir_all(&clusters).unwrap();
    let lock = File::create(clusters.join("lock")).unwrap();
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.unwrap().unwrap();
    if !whole.exists() {
        let unfinished = clusters.join("new");
        let _ = fs::remove_dir_all(&unfinished);
        let server = start_as_is(&unfinished).await;
        migrate(&Dsn::parse(&server.dsn()).unwrap()).await.unwrap();
        server.stop().await;
        fs::rename(unfinished.join("postgres"), &whole).unwrap();
        let _ = fs::remove_dir_all(&unfinished);
    }
    drop(lock);
    whole
}

/// Changes with everything that a prepared cluster depends on: the migrations, the servers
/// that could be chosen, and the user that runs them.
fn key() -> String {
    let mut hash = Sha256::new();
    let mut migrations: Vec<_> = fs::read_dir(MIGRATIONS).unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    for path in migrations {
        hash.update(path.file_name().unwrap().as_encoded_bytes());
        hash.update(fs::read(path).unwrap());
    }
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = packaged.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    for program in config::executable_dirs().into_iter().chain(folders).map(|folder| folder.join("initdb")) {
        // Followed, where it is a link: another server behind it is another file.
        let Ok(found) = fs::metadata(&program) else { continue };
        hash.update(program.as_os_str().as_encoded_bytes());
        hash.update(found.ino().to_le_bytes());
        hash.update(found.mtime().to_le_bytes());
    }
    hash.update(nix::unistd::geteuid().as_raw().to_le_bytes());
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a cluster there that equals the prepared one.
fn lay(prepared: &Path, to: &Path) -> io::Result<()> {
    for used in fs::read_dir(used(prepared)).into_iter().flatten().flatten() {
        // Another process may have been faster.
        if fs::rename(used.path(), to).is_ok() {
            break;
        }
    }
    equal(prepared, to)
}

/// Makes `to` a copy of `from`. Files are copied, not linked, since a server writes in place.
/// A file of the same size and time is unchanged since it was copied, and is skipped.
fn equal(from: &Path, to: &Path) -> io::Result<()> {
    let wanted = fs::symlink_metadata(from)?;
    if wanted.is_dir() {
        if !to.exists() {
            fs::create_dir(to)?;
        }
        for entry in fs::read_dir(to)? {
            let entry = entry?;
            if !from.join(entry.file_name()).exists() {
                let is_dir = entry.file_type()?.is_dir();
                if is_dir { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
            }
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            equal(&entry.path(), &to.join(entry.file_name()))?;
        }
        fs::set_permissions(to, wanted.permissions())?;
    } else {
        let found = fs::symlink_metadata(to).ok();
        if found.is_some_and(|found| found.len() == wanted.len() && found.modified().ok() == wanted.modified().ok()) {
            return Ok(());
        }
        fs::copy(from, to)?;
        File::options().append(true).open(to)?.set_modified(wanted.modified()?)?;
    }
    // Root's tests run the server as another user, to whom it must belong.
    if nix::unistd::geteuid().is_root() { chown(to, Some(wanted.uid()), Some(wanted.gid())) } else { Ok(()) }
}
