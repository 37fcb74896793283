//! What fleets of several sizes cost: how it grows.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    figures::{Figures, Size, Target, percentile},
    fleet::Fleet,
    latency,
    process::{settled, share},
    say,
};

const ATTEMPTS: usize = 100;

pub async fn measure(sizes: &[usize], idle: Duration, figures: &mut Figures) {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let mut fleet = Fleet::empty().await;
    let mut daemon = fleet.daemon(&[]).await;
    let base = settled(daemon.pid()).await;
    figures.add("resident, a daemon without accounts", "MiB", None, vec![base / 1024.0]);
    for accounts in sizes {
        fleet.grow_to(accounts).await;
        fleet.all_connected().await;
        let paired = settled(daemon.pid()).await;
        assert!(daemon.terminate().await.success());

        say(format_args!("restoring {accounts} accounts"));
        let began = Instant::now();
        daemon = fleet.daemon(&[]).await;
        fleet.all_connected().await;
        let restored = began.elapsed();
        let resident = settled(daemon.pid()).await;

        say(format_args!("{accounts} accounts idle"));
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
            figures.add("resident for an idle account, of 2,000 restored", "KiB", Some(Target::AtMost(160.0)), each);
            let each = vec![(paired - base) / accounts as f64];
            figures.add("the same, of 2,000 just paired", "KiB", None, each);
            let restored = vec![size.restored_s];
            figures.add("2,000 accounts restored, pacing off", "s", Some(Target::AtMost(20.0)), restored);
        }
        if accounts == 5_000 {
            let cpu = vec![size.idle_cpu_percent];
            figures.add("5,000 idle accounts, keepalives included", "% of a core", Some(Target::AtMost(2.0)), cpu);
        }
        println!("  {size:?}");
        figures.growth.push(size);
    }
    fleet.end([daemon]).await;
}
