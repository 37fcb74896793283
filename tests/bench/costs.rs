//! What a pairing asks of the database, and what an idle fleet asks of it.

use super::{
    figures::{Figures, Target},
    fleet::{Fleet, number},
    say,
    support::Wire,
};

/// Pairings that are counted together: what the daemon does besides is little of it.
const PAIRINGS: usize = 20;

pub async fn measure(rounds: usize, figures: &mut Figures) {
    say("what a pairing asks of the database");
    let fleet = Fleet::empty().await;
    let wire = Wire::beside(&fleet.dir);
    let daemon = fleet.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    // Prepared statements and full pages are what a first one pays for.
    pair(&fleet, 0).await;
    let (mut statements, mut wal) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        wire.count_anew();
        let logged = fleet.wal().await;
        pair(&fleet, round).await;
        let carried = wire.carried();
        statements.push(carried.values().sum::<usize>() as f64 / PAIRINGS as f64);
        if round == rounds {
            for (text, times) in carried {
                println!("  {:>6.2} {}", times as f64 / PAIRINGS as f64, beginning(&text));
            }
        }
        wal.push((fleet.wal().await - logged) as f64 / PAIRINGS as f64 / 1024.0);
    }
    figures.add("statements of the daemon for a pairing", "", Some(Target::AtMost(12.0)), statements);
    figures.add("write-ahead log for a pairing", "KiB", Some(Target::AtMost(64.0)), wal);
    fleet.end([daemon]).await;
}

async fn pair(fleet: &Fleet, round: usize) {
    for (account, nth) in fleet.accounts(PAIRINGS).await.into_iter().zip(round * PAIRINGS..) {
        let paired = fleet.pair(account, number(nth)).await;
        fleet.ears.hears(account, "groups.synced", paired.asked).await;
    }
}

/// Enough of a statement to know it by.
fn beginning(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").chars().take(110).collect()
}
