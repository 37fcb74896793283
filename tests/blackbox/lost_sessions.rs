//! Why sessions of people are kept as long as the link: without one, the next message of that person
//! can be read only if somebody sends it again.

use paird_sandbox::{Fault, ReceiptFault};
use paird_testkit::{Daemon, Stage, until};
use uuid::Uuid;

use super::receiving::{ANNA, BERT, NUMBER, all_are_told_once, linked, nothing_waits, texts, texts_are, writes};

#[tokio::test(flavor = "multi_thread")]
async fn without_its_session_a_message_comes_at_the_second_try() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    writes(&stage, ANNA, "before").await;
    texts_are(&stage, account, &["before"]).await;
    // The sender alone can help.
    stage.phones.set_online(NUMBER, false).await;
    let daemon = without_session(&stage, daemon, account, ANNA).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &["before", "after"]).await;
    // The phone was asked as well, and answers now.
    stage.phones.set_online(NUMBER, true).await;
    writes(&stage, ANNA, "the last").await;
    texts_are(&stage, account, &["before", "after", "the last"]).await;
    all_are_told_once(&stage, account).await;
    assert_eq!(texts(&stage, account).await.len(), 3);
    stage.finish([daemon]).await;
}

/// Of two people whose clients answer nobody, the one whose session is there is read.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_session_a_message_needs_somebodys_answer() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    for (person, all) in [(ANNA, &["before"][..]), (BERT, &["before", "before"])] {
        writes(&stage, person, "before").await;
        texts_are(&stage, account, all).await;
        let deaf = Fault::Receipts { how: ReceiptFault::Lost, number: Some(person.to_owned()), times: None };
        stage.phones.fault(deaf).await;
    }
    stage.phones.set_online(NUMBER, false).await;
    let daemon = without_session(&stage, daemon, account, ANNA).await;
    writes(&stage, ANNA, "without").await;
    writes(&stage, BERT, "with").await;
    let with = || async { texts(&stage, account).await.contains(&"with".to_owned()).then_some(()) };
    until("the one with a session", with).await;
    until("a second try that was asked for", || async { asked_again(&stage).await.then_some(()) }).await;
    assert!(texts(&stage, account).await.contains(&"waiting".to_owned()));
    assert!(!texts(&stage, account).await.contains(&"without".to_owned()), "nobody has sent it again");
    stage.phones.set_online(NUMBER, true).await;
    until("the phone's answer", || async {
        texts(&stage, account).await.contains(&"without".to_owned()).then_some(())
    })
    .await;
    all_are_told_once(&stage, account).await;
    stage.finish([daemon]).await;
}

async fn asked_again(stage: &Stage) -> bool {
    stage.phones.report().await.said.iter().any(|said| said.what.contains("type=\"retry\""))
}

/// The daemon again, as if what it kept to read this person had been pruned.
async fn without_session(stage: &Stage, daemon: Daemon, account: Uuid, person: &str) -> Daemon {
    nothing_waits(stage).await;
    assert!(daemon.terminate().await.success());
    let sql = "DELETE FROM credentials WHERE account_id = $1 AND kind IN ('session', 'identity')
               AND name LIKE (SELECT split_part(sender, '@', 1) FROM messages WHERE sender_phone = $2 LIMIT 1) || '%'";
    assert_eq!(stage.web.sql.execute(sql, &[&account, &person]).await.unwrap(), 2);
    stage.daemon(&[]).await
}
