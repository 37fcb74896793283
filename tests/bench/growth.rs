//! The cost of fleets of several sizes, and its growth.

use std::time::Duration;

use paird_testkit::Daemon;
use tokio::time::Instant;

use super::{
    figures::{Figures, Size, Target, percentile},
    fleet::Fleet,
    latency,
    process::{settled, share},
    say,
};

const ATTEMPTS: usize = 100;

/// The connections a second, and the burst before, of `PAIRD_CONNECT_RATE` by default.
const PACE: (f64, f64) = (20.0, 50.0);
/// What a process, its lease and its survey may take beyond its pace.
const START_S: f64 = 10.0;
/// By then a restored fleet has finished its start, and is idle.
const SETTLE: Duration = Duration::from_secs(100);

/// `alone` is what the library takes by itself with how many clients, where that was measured.
/// The daemons have these settings besides the usual.
pub async fn measure(
    sizes: &[usize],
    idle: Duration,
    alone: Option<(usize, f64)>,
    settings: &[(&str, &str)],
    figures: &mut Figures,
) {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let mut fleet = Fleet::empty().await;
    let mut daemon = fleet.daemon(settings).await;
    let base = settled(daemon.pid()).await;
    figures.add("resident, a daemon without accounts", "MiB", None, vec![base / 1024.0]);
    for accounts in sizes {
        fleet.grow_to(accounts).await;
        fleet.all_connected().await;
        let paired = settled(daemon.pid()).await;
        assert!(daemon.terminate().await.success());

        say(format_args!("restoring {accounts} accounts"));
        let began = Instant::now();
        daemon = fleet.daemon(settings).await;
        fleet.all_connected().await;
        let restored = began.elapsed();
        let resident = settled(daemon.pid()).await;

        say(format_args!("{accounts} accounts idle"));
        tokio::time::sleep(SETTLE).await;
        let (pings, transactions) = (fleet.phones.report().await.pings_answered, fleet.transactions().await);
        let cpu = share(daemon.pid(), idle).await;
        let seconds = idle.as_secs_f64();
        let pings = (fleet.phones.report().await.pings_answered - pings) as f64 / seconds;
        let transactions = (fleet.transactions().await - transactions) as f64 / seconds;

        let mut waited = latency::alone(&fleet, ATTEMPTS).await;
        let size = Size {
            accounts,
            resident_mib: resident / 1024.0,
            kib_per_account: (resident - base) / accounts as f64,
            restored_s: restored.as_secs_f64(),
            idle_cpu_percent: cpu,
            pings_per_s: pings,
            idle_transactions_per_s: transactions,
            first_qr_p50_ms: percentile(&mut waited, 50),
            first_qr_p99_ms: percentile(&mut waited, 99),
        };
        if accounts == 2_000 {
            let each = vec![size.kib_per_account];
            figures.add("resident for an idle account, of 2,000 restored", "KiB", Some(Target::AtMost(130.0)), each);
            let each = vec![(paired - base) / accounts as f64];
            figures.add("the same, of 2,000 just paired", "KiB", None, each);
            let restored = vec![size.restored_s];
            figures.add("2,000 accounts restored, pacing off", "s", Some(Target::AtMost(20.0)), restored);
            daemon = restored_at_the_usual_pace(&fleet, daemon, figures).await;
        }
        if let Some((_, library)) = alone.filter(|(clients, _)| *clients == accounts) {
            let beyond = vec![size.idle_cpu_percent - library];
            let what = format!("{accounts} idle accounts, beyond as many clients of the library alone");
            figures.add(what, "% of a core", Some(Target::AtMost(2.0)), beyond);
        }
        println!("  {size:?}");
        figures.growth.push(size);
    }
    if let Some(bend) = bend(&figures.growth) {
        let what = "memory from 1,000 to 5,000 accounts, furthest from a straight line";
        figures.add(what, "%", Some(Target::AtMost(10.0)), vec![bend]);
    }
    fleet.end([daemon]).await;
}

async fn restored_at_the_usual_pace(fleet: &Fleet, daemon: Daemon, figures: &mut Figures) -> Daemon {
    assert!(daemon.terminate().await.success());
    say("restoring 2,000 accounts at the usual pace");
    let (rate, burst) = PACE;
    let began = Instant::now();
    let daemon = fleet.daemon(&[("PAIRD_CONNECT_RATE", &rate.to_string())]).await;
    fleet.all_connected().await;
    let target = Some(Target::AtMost((2_000.0 - burst) / rate + START_S));
    figures.add("2,000 accounts restored, at 20 a second", "s", target, vec![began.elapsed().as_secs_f64()]);
    daemon
}

/// How far, in percent of it, the memory of a size in between is from the line through
/// those of 1,000 and 5,000 accounts.
fn bend(sizes: &[Size]) -> Option<f64> {
    let at = |accounts: usize| sizes.iter().find(|size| size.accounts == accounts);
    let (few, many) = (at(1_000)?, at(5_000)?);
    let slope = (many.resident_mib - few.resident_mib) / (many.accounts - few.accounts) as f64;
    let between = sizes.iter().filter(|size| (1_000..=5_000).contains(&size.accounts));
    let off = between.map(|size| {
        let line = few.resident_mib + slope * (size.accounts - few.accounts) as f64;
        100.0 * (size.resident_mib - line).abs() / line
    });
    off.reduce(f64::max)
}
