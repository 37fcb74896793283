//! The measured figures: printed as a table, stored as JSON.

use std::{fmt::Write as _, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

/// Everything of one machine.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub machine: Machine,
    pub figures: Vec<Figure>,
    /// One for each size of the fleet.
    pub growth: Vec<Size>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    /// Day of the run.
    pub day: String,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    pub what: String,
    pub unit: String,
    /// At most, or at least for a rate.
    pub target: Option<Target>,
    /// The median of the rounds.
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub rounds: usize,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// The cost of a fleet of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Size {
    pub accounts: usize,
    /// Of the daemon, whole.
    pub resident_mib: f64,
    /// Less that of a daemon without accounts, for each account.
    pub kib_per_account: f64,
    pub restored_s: f64,
    pub idle_cpu_percent: f64,
    /// Keepalives that were answered meanwhile.
    pub pings_per_s: f64,
    pub idle_transactions_per_s: f64,
    pub first_qr_p50_ms: f64,
    pub first_qr_p99_ms: f64,
}

impl Figures {
    pub fn begin() -> Self {
        Self { machine: Machine::this(), figures: Vec::new(), growth: Vec::new() }
    }

    pub fn read(path: &Path) -> Self {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    pub fn keep(&self, path: &Path) {
        let json = serde_json::to_string_pretty(self).unwrap() + "\n";
        std::fs::write(path, json).unwrap();
    }

    /// Adds what was measured in some rounds.
    pub fn add(&mut self, what: impl Into<String>, unit: &str, target: Option<Target>, mut rounds: Vec<f64>) {
        rounds.sort_by(f64::total_cmp);
        let figure = Figure {
            what: what.into(),
            unit: unit.to_owned(),
            target,
            median: rounds[rounds.len() / 2],
            least: rounds[0],
            most: rounds[rounds.len() - 1],
            rounds: rounds.len(),
        };
        println!("  {}", figure.line());
        self.figures.push(figure);
    }

    /// Newer measurements replace the stored ones.
    pub fn replace_with(&mut self, newer: Self) {
        for figure in newer.figures {
            match self.figures.iter_mut().find(|known| known.what == figure.what) {
                Some(known) => *known = figure,
                None => self.figures.push(figure),
            }
        }
        if !newer.growth.is_empty() {
            self.growth = newer.growth;
        }
        self.machine = newer.machine;
    }

    /// In Markdown, which a screen shows as well.
    pub fn table(&self) -> String {
        let mut table = String::from("| measured | median | least – most | rounds | target |\n|---|--:|--:|--:|--:|\n");
        for figure in &self.figures {
            let (least, most) = (amount(figure.least), amount(figure.most));
            let target = figure.target.map_or(String::new(), |target| target.in_words(figure.median, &figure.unit));
            let _ = writeln!(
                table,
                "| {} | {} {} | {least} – {most} | {} | {target} |",
                figure.what,
                amount(figure.median),
                figure.unit,
                figure.rounds
            );
        }
        if !self.growth.is_empty() {
            table.push_str("\n| accounts | resident | each | restored in | idle CPU | pings | transactions | first QR p50, p99 |\n");
            table.push_str("|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        }
        for size in &self.growth {
            let _ = writeln!(
                table,
                "| {} | {:.0} MiB | {:.0} KiB | {:.1} s | {:.1} % | {:.0}/s | {:.1}/s | {:.0}, {:.0} ms |",
                size.accounts,
                size.resident_mib,
                size.kib_per_account,
                size.restored_s,
                size.idle_cpu_percent,
                size.pings_per_s,
                size.idle_transactions_per_s,
                size.first_qr_p50_ms,
                size.first_qr_p99_ms
            );
        }
        table
    }
}

impl Figure {
    fn line(&self) -> String {
        let target = self.target.map_or(String::new(), |target| target.in_words(self.median, &self.unit));
        format!("{}: {} {} {target}", self.what, amount(self.median), self.unit)
    }
}

impl Target {
    fn in_words(self, median: f64, unit: &str) -> String {
        let (most, met, bound) = match self {
            Self::AtMost(bound) => ("≤", median <= bound, bound),
            Self::AtLeast(bound) => ("≥", median >= bound, bound),
        };
        format!("{most} {} {unit}{}", amount(bound), if met { "" } else { " **missed**" })
    }
}

impl Machine {
    fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split(' ').next().unwrap_or_default().parse().unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().unwrap().get(),
            memory_gib: (kib + (1 << 19)) >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            day: chrono::Utc::now().format("%Y-%m-%d").to_string(),
        }
    }
}

/// As many digits as say something.
fn amount(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middling if middling >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

/// The value below which so many percent of the others are.
pub fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}
