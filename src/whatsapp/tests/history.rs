//! What is read of the history that a phone sends to a new device.

use paird_actors::ports::Session;
use paird_sandbox::{History, MediaHost, Naming, OldChat};

use super::bench::{Bench, NUMBER, Opened, until};

const ANNA: &str = "999000000001";
const BERT: &str = "999000000002";
const CARL: &str = "999000000003";

fn history(host: MediaHost) -> History {
    let chat = |number: &str, naming, token: Vec<u8>| OldChat {
        number: number.to_owned(),
        naming,
        text: "long ago".to_owned(),
        token,
    };
    let chats = vec![
        chat(ANNA, Naming::Lid, vec![7; 16]),
        chat(BERT, Naming::Number, vec![8; 16]),
        chat(CARL, Naming::Lid, Vec::new()),
    ];
    History { chats, salt: vec![9; 32], host, ..History::default() }
}

async fn has(bench: &Bench, history: History) {
    bench.ask(move |phone| phone.set_history(NUMBER, &history)).await.unwrap();
}

/// How often the phone was told that the history was read.
fn confirmed(bench: &Bench) -> usize {
    let report = tokio::task::block_in_place(|| bench.phone.report().unwrap());
    report.said.iter().filter(|said| said.what.contains("hist_sync")).count()
}

fn asked(bench: &Bench) -> u64 {
    tokio::task::block_in_place(|| bench.phone.report().unwrap().media_asked)
}

/// The tokens of the three, under their LIDs, and the salt.
async fn kept(session: &Opened) -> ([Option<Vec<u8>>; 3], Option<Vec<u8>>) {
    let client = session.client().upgrade().unwrap();
    let backend = client.persistence_manager().backend();
    let mut tokens = [None, None, None];
    for (number, token) in [ANNA, BERT, CARL].into_iter().zip(&mut tokens) {
        let mapping = backend.get_pn_mapping(number).await.unwrap().expect("a LID");
        *token = backend.get_tc_token(&mapping.lid).await.unwrap().map(|known| known.token);
    }
    let stored = backend.load().await.unwrap().unwrap();
    (tokens, stored.nct_salt)
}

fn all_of_it() -> ([Option<Vec<u8>>; 3], Option<Vec<u8>>) {
    ([Some(vec![7; 16]), Some(vec![8; 16]), None], Some(vec![9; 32]))
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_salt_and_lids_are_stored_and_then_confirmed() {
    for inline in [false, true] {
        let bench = Bench::start().await;
        has(&bench, History { inline, ..history(MediaHost::Serves) }).await;
        let session = bench.linked().await;
        until("the phone is told", || confirmed(&bench) == 1).await;
        assert_eq!(kept(&session).await, all_of_it());
        assert_eq!(asked(&bench), u64::from(!inline));
        session.close().await;
        session.is_gone().await;
        assert_eq!(confirmed(&bench), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_file_holds_nothing_up_and_is_not_confirmed() {
    let bench = Bench::start().await;
    has(&bench, history(MediaHost::Stalls)).await;
    let session = bench.linked().await;
    until("the file is asked for", || asked(&bench) == 1).await;
    session.groups().await.unwrap();
    until("the message was acknowledged", || {
        tokio::task::block_in_place(|| bench.phone.waiting(NUMBER, 1).unwrap().stanzas == 0)
    })
    .await;
    assert_eq!(confirmed(&bench), 0, "confirmed before it was read");
    has(&bench, history(MediaHost::Serves)).await;
    until("the phone is told", || confirmed(&bench) == 1).await;
    assert_eq!(kept(&session).await, all_of_it());
    session.close().await;
    session.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_served_is_asked_for_again() {
    for host in [MediaHost::Fails(503), MediaHost::Garbage] {
        comes_after_another_try(host).await;
    }
}

async fn comes_after_another_try(host: MediaHost) {
    let bench = Bench::start().await;
    has(&bench, history(host)).await;
    let session = bench.linked().await;
    until("the file is asked for", || asked(&bench) > 0).await;
    has(&bench, history(MediaHost::Serves)).await;
    until("the phone is told", || confirmed(&bench) == 1).await;
    assert_eq!(kept(&session).await, all_of_it());
    session.close().await;
}

/// A connection that ends leaves neither tasks nor memory of it behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_stalled_file_closes_and_is_gone() {
    let bench = Bench::start().await;
    has(&bench, history(MediaHost::Stalls)).await;
    let session = bench.linked().await;
    until("the file is asked for", || asked(&bench) == 1).await;
    session.close().await;
    session.is_gone().await;
}
