//! The fleet for a log or a program: how each account is, and then what changes.

use std::collections::{HashMap, HashSet};

use chrono::{SecondsFormat, Utc};
use paird_sql::queries::cli::WatchedAccount;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fleet::{Fleet, FleetPoller};
use crate::cli::out::{self, Format};

/// Until Ctrl-C, or until nobody reads it any more.
pub(super) async fn run(mut poller: FleetPoller<'_>, format: Format) -> anyhow::Result<()> {
    let mut seen = Seen::default();
    let mut is_away = false;
    loop {
        match poller.poll().await {
            Ok(fleet) => {
                is_away = false;
                for (text, document) in seen.changes(&fleet) {
                    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
                    format.tell(format_args!("{at}  {text}"), &document);
                }
            }
            Err(why) if !is_away => {
                is_away = true;
                format.remark(format_args!("{why:#}; trying again"));
            }
            Err(_) => {}
        }
        tokio::select! {
            () = poller.until_changed() => {}
            () = out::until_closed() => return Ok(()),
            done = tokio::signal::ctrl_c() => return done.map_err(Into::into),
        }
    }
}

/// The last printed state of each account.
#[derive(Default)]
struct Seen(HashMap<Uuid, Value>);

impl Seen {
    /// The changes since then, in words and as JSON.
    fn changes(&mut self, fleet: &Fleet) -> Vec<(String, Value)> {
        let mut changes = Vec::new();
        for account in &fleet.accounts {
            let document = as_json(account);
            if self.0.get(&account.id) != Some(&document) {
                changes.push((in_words(account), document.clone()));
                self.0.insert(account.id, document);
            }
        }
        // What a filter no longer lets through is told once more, as it is now.
        for account in &fleet.others {
            if self.0.remove(&account.id).is_some() {
                changes.push((in_words(account), as_json(account)));
            }
        }
        let there: HashSet<Uuid> = fleet.all().map(|account| account.id).collect();
        let gone: Vec<Uuid> = self.0.keys().filter(|id| !there.contains(*id)).copied().collect();
        for id in gone {
            let label = self.0.remove(&id).and_then(|last| last.get("label").cloned()).unwrap_or_default();
            let text = format!("{}: deleted", label.as_str().unwrap_or("?"));
            changes.push((text, json!({ "type": "gone", "accountId": id, "label": label })));
        }
        changes
    }
}

/// Without the QR itself: `paird pair` is for that.
fn as_json(account: &WatchedAccount) -> Value {
    json!({
        "type": "account",
        "accountId": account.id,
        "operatorId": account.operator_id,
        "label": account.label,
        "status": account.status,
        "statusReason": account.status_reason,
        "statusSince": account.status_since,
        "phoneNumber": account.phone_number,
        "nextRetryAt": account.next_retry_at,
        "pairDeadline": account.pair_deadline,
        "qrShown": account.last_qr_png.is_some(),
    })
}

fn in_words(account: &WatchedAccount) -> String {
    let mut text = format!("{}: {} ({})", account.label, account.status, account.status_reason);
    if let Some(digits) = &account.phone_number {
        text.push_str(&format!(", +{digits}"));
    }
    if let Some(at) = account.next_retry_at {
        text.push_str(&format!(", next try at {}", at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    if account.last_qr_png.is_some() {
        text.push_str(", a QR to scan");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fleet::tests::account;
    use super::*;

    #[test]
    fn each_change_and_deletion_is_printed_once() {
        let accounts = vec![account("a", "unpaired"), account("b", "connected")];
        let mut fleet = Fleet { accounts, others: Vec::new(), daemons: 1, taking: 1 };
        let mut seen = Seen::default();
        let mut told = |fleet: &Fleet| seen.changes(fleet).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(told(&fleet), ["a: unpaired (new)", "b: connected (new)"]);
        // A clock that goes on is no change.
        fleet.accounts[0].database_now += chrono::TimeDelta::seconds(1);
        assert_eq!(told(&fleet), Vec::<String>::new());
        fleet.accounts[1].status = "reconnecting".to_owned();
        assert_eq!(told(&fleet), ["b: reconnecting (new)"]);
        fleet.others.push(fleet.accounts.remove(1));
        fleet.others[0].status = "connected".to_owned();
        assert_eq!(told(&fleet), ["b: connected (new)"], "a filter keeps it back from now on");
        fleet.others[0].status = "held".to_owned();
        assert_eq!(told(&fleet), Vec::<String>::new());
        fleet.accounts.push(fleet.others.remove(0));
        assert_eq!(told(&fleet), ["b: held (new)"]);
        fleet.accounts.remove(0);
        assert_eq!(told(&fleet), ["a: deleted"]);
    }
}
