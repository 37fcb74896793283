//! Whether a fleet that does nothing grows.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    figures::Figures,
    fleet::Fleet,
    process::{resident, settled},
    say,
};

const LOOK_EVERY: Duration = Duration::from_secs(5);

pub async fn measure(accounts: usize, over: Duration, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let daemon = fleet.daemon(&[]).await;
    fleet.grow_to(accounts).await;
    fleet.all_connected().await;
    settled(daemon.pid()).await;
    say(format_args!("{accounts} accounts idle for {}", humantime::format_duration(over)));
    let began = Instant::now();
    let mut looks = Vec::new();
    while began.elapsed() < over {
        tokio::time::sleep(LOOK_EVERY).await;
        looks.push((began.elapsed().as_secs_f64() / 3_600.0, resident(daemon.pid()) as f64));
    }
    let growth = vec![slope(&looks) * 24.0 / 1024.0];
    figures.add(format!("growth of {accounts} idle accounts in 24 h, from {} looks", looks.len()), "MiB", None, growth);
    fleet.end([daemon]).await;
}

/// Least squares: KiB an hour.
fn slope(looks: &[(f64, f64)]) -> f64 {
    let n = looks.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| looks.iter().map(of).sum::<f64>() / n;
    let (hour, size) = (mean(|look| look.0), mean(|look| look.1));
    let both: f64 = looks.iter().map(|look| (look.0 - hour) * (look.1 - size)).sum();
    let square: f64 = looks.iter().map(|look| (look.0 - hour).powi(2)).sum();
    both / square
}
