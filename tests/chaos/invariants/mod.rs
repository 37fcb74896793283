//! The invariants of a quiet system, after any faults. Each check is named, and returns its
//! violations.

mod attempts;
mod commands;
mod lists;
pub mod messages;
mod owners;
mod proof;
mod proof_of_messages;
mod proof_of_sends;
pub mod sends;

use paird_testkit::Stage;
use tokio_postgres::types::ToSql;

use crate::campaign::Campaign;
use messages::Post;
use sends::SentMail;

/// Looks at all of them, and says all that is broken.
pub async fn broken(campaign: &Campaign) -> Vec<String> {
    let stage = &campaign.stage;
    let (post, _) = Post::of(stage).await;
    let (sent_mail, _) = SentMail::of(stage, campaign.sends.noted()).await;
    let mut said = campaign.talks.said();
    // In a group other accounts hear it.
    said.extend(sent_mail.said());
    let checks = [
        ("every command ended", commands::ended(stage).await),
        ("a failed command is told exactly once", commands::told_once(stage).await),
        ("no command is delivered twice", commands::delivered_once(stage)),
        ("a bare NOTIFY is stored at most once", commands::notified_once(stage, &campaign.notified).await),
        ("no command is a stranger's", commands::none_of_strangers(stage).await),
        ("events have no gap and were all sent", commands::events_are_whole(stage).await),
        ("each attempt has one end", attempts::ended_once(stage).await),
        ("nothing of an attempt is left on a row", attempts::left_nothing(stage).await),
        ("the audit tells what the events tell", attempts::audit_matches(stage).await),
        ("a status is what WhatsApp says", lists::statuses_are_true(stage).await),
        ("a phone lists what the database has keys for", lists::no_ghosts(stage).await),
        ("keys have a holder", lists::keys_have_a_holder(stage).await),
        ("a number is held once", lists::numbers_are_held_once(stage).await),
        ("each account has one live owner", owners::one_live_owner(stage, &campaign.fleet.pids()).await),
        ("no device was connected twice", owners::never_connected_twice(stage, &campaign.fleet.usurped).await),
        ("WhatsApp saw nothing odd", owners::nothing_odd(stage).await),
        ("an acknowledged message is a row", post.lost()),
        ("a message is one row, of its chat and sender", post.doubled()),
        ("a message is told once", post.not_told_once()),
        ("rows are in the order of their chat", post.out_of_order()),
        ("a row says what was written", post.misquoted(&said)),
        ("no message is kept for a connected device", messages::none_is_kept(stage).await),
        ("nothing is left of a deleted account's messages", messages::none_of_deleted_accounts(stage).await),
        ("a message that was sent is on a phone", sent_mail.not_shown()),
        ("a phone shows a message once, as one", sent_mail.shown_twice()),
        ("a phone shows what was asked for", sent_mail.shown_wrongly()),
        ("a phone shows an account's messages in order", sent_mail.out_of_order()),
        ("a message that was asked for is a row, and no other is", sent_mail.not_asked()),
        ("a message ends, for a true reason", sent_mail.not_ended()),
        ("a receipt is a reader's", sent_mail.not_received()),
        ("each step of a message is told once", sent_mail.not_told_once()),
        ("a message only goes forward", sends::stepped_back(stage).await),
    ];
    checks
        .into_iter()
        .flat_map(|(name, complaints)| complaints.into_iter().map(move |complaint| format!("{name}: {complaint}")))
        .collect()
}

/// A query whose rows are complaints.
async fn complaints(stage: &Stage, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Vec<String> {
    stage.web.sql.query(sql, params).await.unwrap().iter().map(|row| row.get(0)).collect()
}
