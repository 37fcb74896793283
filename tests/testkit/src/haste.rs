//! A daemon and a database for which time passes faster than for the test, by libfaketime: for
//! what takes long in production and has no setting, the library's own times above all.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use paird::{config, postgres::embedded::programs};

/// How many times faster. With more, a delay on a busy machine would look like a fault.
const TIMES: u32 = 4;

/// libfaketime, which gives one process another clock. Without it tests that need it say that
/// they were left out; in CI they fail.
pub fn libfaketime() -> Option<String> {
    let found = fs::read_dir("/usr/lib").unwrap().flatten().find_map(|arch| {
        let library = arch.path().join("faketime/libfaketime.so.1");
        library.exists().then(|| library.display().to_string())
    });
    crate::found_or_left_out(found, "libfaketime", "libfaketime")
}

/// The faster clock.
pub(crate) struct Haste {
    settings: [(&'static str, String); 5],
    /// The server's programs, under that clock.
    pub(crate) bin: PathBuf,
}

impl Haste {
    /// `None` without libfaketime: then all goes as fast as usual.
    pub(crate) fn beside(dir: &Path) -> Option<Self> {
        let settings = [
            ("LD_PRELOAD", libfaketime()?),
            ("FAKETIME", format!("+0 x{TIMES}")),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
            // A delay of the machine is as much longer for the lease.
            ("PAIRD_LEASE_TTL", "60s".to_owned()),
        ];
        let haste = Self { settings, bin: dir.join("bin") };
        fs::create_dir(&haste.bin).unwrap();
        let programs = programs(&config::embedded_postgres(None)).unwrap();
        for program in ["initdb", "createdb", "postgres"] {
            let clock = haste.settings().map(|(name, value)| format!("export {name}='{value}'\n")).collect::<String>();
            let script = format!("#!/bin/sh\n{clock}exec '{}' \"$@\"\n", programs.join(program).display());
            let path = haste.bin.join(program);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Some(haste)
    }

    /// For a process that is to go by it.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn times(&self) -> u32 {
        TIMES
    }
}
