//! Statements that a pairing, and an idle fleet, send to the database.

use std::time::Duration;

use paird_testkit::Wire;
use tokio::time::Instant;

use super::{
    figures::{Figures, Target},
    fleet::{Fleet, number},
    say,
};

/// Pairings that are counted together, so that the daemon's other statements hardly count.
const PAIRINGS: usize = 20;

/// A fleet that was just paired has done by then what it does once.
const SETTLE: Duration = Duration::from_secs(100);
const IDLE: Duration = Duration::from_secs(60);

pub async fn measure(rounds: usize, figures: &mut Figures) {
    say("what a pairing asks of the database");
    let fleet = Fleet::empty().await;
    let wire = Wire::beside(&fleet.dir);
    let daemon = fleet.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let empty = asked_while_idle(&wire).await;
    // Prepared statements and full pages are what a first one pays for.
    pair(&fleet, 0).await;
    let (mut statements, mut wal) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        wire.count_anew();
        let (began, logged) = (Instant::now(), fleet.wal().await);
        pair(&fleet, round).await;
        let carried = wire.carried();
        let asked = carried.values().sum::<usize>() as f64 - empty * began.elapsed().as_secs_f64();
        statements.push(asked / PAIRINGS as f64);
        wal.push((fleet.wal().await - logged) as f64 / PAIRINGS as f64 / 1024.0);
        if round == rounds {
            for (text, times) in carried {
                println!("  {:>6.2} {}", times as f64 / PAIRINGS as f64, beginning(&text));
            }
        }
    }
    let what = "statements for a pairing, beyond what an idle daemon asks meanwhile";
    figures.add(what, "", Some(Target::AtMost(12.0)), statements);
    figures.add("write-ahead log for a pairing", "KiB", Some(Target::AtMost(64.0)), wal);
    say("what an idle fleet asks of the database");
    tokio::time::sleep(SETTLE).await;
    let fleets = asked_while_idle(&wire).await;
    let accounts = PAIRINGS * (rounds + 1);
    figures.add("statements a minute, a daemon without accounts", "", None, vec![empty * 60.0]);
    let each = vec![(fleets - empty) * 60.0 / accounts as f64];
    figures.add(format!("the same for each of {accounts} idle accounts"), "", Some(Target::AtMost(0.05)), each);
    fleet.end([daemon]).await;
}

/// Statements a second.
pub async fn asked_while_idle(wire: &Wire) -> f64 {
    wire.count_anew();
    tokio::time::sleep(IDLE).await;
    wire.carried().values().sum::<usize>() as f64 / IDLE.as_secs_f64()
}

async fn pair(fleet: &Fleet, round: usize) {
    for (account, nth) in fleet.accounts(PAIRINGS).await.into_iter().zip(round * PAIRINGS..) {
        let paired = fleet.pair(account, number(nth)).await;
        fleet.listener.wait_for(account, "groups.synced", paired.asked).await;
    }
}

/// Enough of a statement to know it by: what it changes, or how it begins.
pub fn beginning(text: &str) -> String {
    let changes = ["INSERT INTO ", "UPDATE ", "DELETE FROM "];
    let at = changes.iter().filter_map(|verb| text.find(verb)).min().unwrap_or(0);
    text[at..].chars().take(100).collect()
}
