//! `make bench`: what paird costs and how long it takes, measured from outside. The
//! daemon, Postgres and WhatsApp's double are processes of their own, and this is one more.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends here")]
#![allow(clippy::print_stdout, reason = "figures go to the screen")]

mod costs;
mod event_listener;
mod failover;
mod figures;
mod fleet;
mod growth;
mod latency;
mod layers;
mod library;
mod messages;
mod plot;
mod process;
mod readme;
mod sending;
mod soak;
mod throughput;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use figures::Figures;

/// The folder of the published figures.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench");

/// Measures paird. `make bench` passes ARGS on.
#[derive(Debug, Parser)]
struct Args {
    /// How many accounts, at each step of the growth; the other parts take the one nearest to 2,000.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 2_000, 5_000])]
    accounts: Vec<usize>,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// How many messages wait for an account, and how many come at once to a fleet; half as many go out.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long a fleet idles for its share of a processor.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    idle: Duration,
    /// How long a fleet idles to show whether it grows.
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    soak: Duration,
    /// Makes the results those that the README beside this publishes: its table, its plot, the JSON.
    #[arg(long)]
    publish: bool,
    /// Only writes the README's table again, from the published JSON.
    #[arg(long)]
    readme: bool,
    /// A library that the growing fleet's daemon is started with, as by LD_PRELOAD: heaptrack's, see `profile`.
    #[arg(long, hide = true, requires = "trace")]
    preload: Option<String>,
    /// Where that writes to.
    #[arg(long, hide = true)]
    trace: Option<String>,
    /// Cargo's own.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be so many clients of the library alone.
    #[arg(long, hide = true, requires_all = ["whatsapp", "phones"])]
    clients: Option<usize>,
    #[arg(long, hide = true)]
    whatsapp: Option<String>,
    #[arg(long, hide = true)]
    phones: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Latency,
    Throughput,
    Costs,
    Messages,
    Sending,
    Growth,
    Layers,
    Library,
    Tls,
    Failover,
    Soak,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// For what is measured at one size.
    fn usual(&self) -> usize {
        self.nearest(2_000)
    }

    fn nearest(&self, to: usize) -> usize {
        *self.accounts.iter().min_by_key(|accounts| accounts.abs_diff(to)).unwrap()
    }
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let (Some(clients), Some(whatsapp), Some(phones)) = (args.clients, &args.whatsapp, &args.phones) {
        return library::live(clients, whatsapp, phones).await;
    }
    let published = PathBuf::from(HERE).join("results.json");
    if args.readme {
        return readme::write(&Figures::read(&published));
    }
    let mut figures = Figures::begin();
    measure(&args, &mut figures).await;
    println!("\n{}", figures.table());
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench.json");
    figures.keep(&kept);
    println!("kept in {}", kept.display());
    if args.publish {
        let mut all = if published.exists() { Figures::read(&published) } else { Figures::begin() };
        all.replace_with(figures);
        all.keep(&published);
        plot::draw(&all, &PathBuf::from(HERE));
        readme::write(&all);
        println!("published in {HERE} and the README");
    }
}

async fn measure(args: &Args, figures: &mut Figures) {
    if args.wants(Part::Latency) {
        latency::measure(args.rounds, figures).await;
    }
    if args.wants(Part::Throughput) {
        throughput::measure(args.rounds, figures).await;
    }
    if args.wants(Part::Costs) {
        costs::measure(args.rounds, figures).await;
    }
    if args.wants(Part::Messages) {
        messages::measure(args.messages, args.rounds, figures).await;
    }
    if args.wants(Part::Sending) {
        sending::measure(args.messages, args.rounds, figures).await;
    }
    if args.wants(Part::Layers) {
        layers::measure(args.usual(), figures).await;
    }
    let large = args.nearest(5_000);
    let alone =
        if args.wants(Part::Library) { Some((large, library::measure(large, args.idle, figures).await)) } else { None };
    if args.wants(Part::Tls) {
        tls::measure(args.usual(), figures).await;
    }
    if args.wants(Part::Failover) {
        failover::measure(args.usual(), figures).await;
    }
    if args.wants(Part::Growth) {
        let traced = args.preload.as_deref().zip(args.trace.as_deref());
        let traced = traced.map(|(library, to)| vec![("LD_PRELOAD", library), ("DUMP_HEAPTRACK_OUTPUT", to)]);
        growth::measure(&args.accounts, args.idle, alone, &traced.unwrap_or_default(), figures).await;
    }
    if args.wants(Part::Soak) {
        soak::measure(args.usual(), args.soak, figures).await;
    }
}

/// Says what is going on, while it takes its time.
fn say(what: impl std::fmt::Display) {
    println!("… {what}");
}
