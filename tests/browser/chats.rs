//! Conversations: read, answered, followed live.

use paird_sandbox::Writing;
use paird_testkit::until;
use serde_json::json;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607300041";
const ANNA: &str = "999000000041";
const BERT: &str = "999000000042";
const HOSTILE: &str = "<img src=x onerror=\"document.title = 'taken'\">\u{202e}end";

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_found_read_and_answered_live() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let account = stage.web.reachable_account("Front desk", NUMBER, &stage.phones).await;
    desk.go(&format!("/accounts/{account}")).await;
    window.click("[href$='/chats']").await;
    window.says(".chats", "None yet").await;

    stage.phones.send(ANNA, Writing::text(NUMBER, "is a table free?")).await;
    window.says(".chat-list li:first-child", "is a table free?").await;
    stage.phones.send(BERT, Writing::text(NUMBER, HOSTILE)).await;
    window.says(".chat-list li:first-child", "<img src=x").await;
    window.says(".chat-list li:last-child", "+999 000 000 041").await;
    window.keep_pictures("conversations").await;
    window.assert_accessible("conversations").await;

    window.click(".chat-list li:last-child a").await;
    window.says(".conversation h1", "+999 000 000 041").await;
    window.says(".bubble[data-direction=in]", "is a table free?").await;
    window.fill("#body", "yes, at eight").await;
    window.click("[data-action=send]").await;
    window.says(".bubble[data-direction=out]", "yes, at eight").await;
    window.says(".chat-list li:first-child", "You: yes, at eight").await;
    until("the answer on the phone", || async {
        stage.phones.screen(ANNA).await.iter().any(|shown| shown.text.as_deref() == Some("yes, at eight")).then_some(())
    })
    .await;
    window.says(".bubble[data-direction=out] .state", "Delivered").await;
    window.keep_pictures("conversation").await;
    window.assert_accessible("a conversation").await;
    window.see(".said-so-far").await;

    // Another chat's messages are not shown in this one.
    stage.phones.send(BERT, Writing::text(NUMBER, "and me?")).await;
    window.says(".chat-list li:first-child", "and me?").await;
    assert_eq!(window.texts(".bubble").await.len(), 2);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_begins_at_its_end() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let account = web.account("Front desk").await;
    let sql = "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
               SELECT $1, 'in', 'c' || (n % 2) || '@lid', 'c' || (n % 2) || '@lid', n::text, 'text', 'received', now()
               FROM generate_series(1, 500) n";
    web.sql.execute(sql, &[&account]).await.unwrap();
    desk.go(&format!("/accounts/{account}/chats/c1%40lid")).await;
    let shown = async || window.run("return document.querySelectorAll('.bubble').length", vec![]).await;
    let place = "const pane = document.querySelector('.said-so-far');
                 return pane && Math.round(pane.scrollHeight - pane.clientHeight - pane.scrollTop)";
    until("the end of the conversation", || async {
        (shown().await == json!(100) && window.run(place, vec![]).await == json!(0)).then_some(())
    })
    .await;
    // What is put above moves nothing that is read.
    window.run("document.querySelector('.said-so-far').scrollTop = 0", vec![]).await;
    let first = "const pane = document.querySelector('.said-so-far').getBoundingClientRect();
                 const at = [...document.querySelectorAll('.bubble')].find((b) => b.dataset.key === arguments[0]);
                 return Math.round(at.getBoundingClientRect().top - pane.top)";
    let key = window.run("return document.querySelector('.bubble').dataset.key", vec![]).await;
    for wanted in [200, 250] {
        window.click("[data-action=older]").await;
        until("older messages", || async { (shown().await == json!(wanted)).then_some(()) }).await;
    }
    let top = window.run(first, vec![key]).await.as_i64().unwrap();
    assert!(top > 1_000, "150 messages are above it, which takes more than {top} pixels");
    assert_eq!(window.texts("[data-action=older]").await, Vec::<String>::new());
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_only_reads_sends_and_cancels_nothing() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open_with(&[("PAIRD_CONSOLE_MESSAGES", "read")]).await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let account = web.account("Front desk").await;
    let send = "SELECT send_message($1, '{\"to\": \"+999 000 000 041\", \"type\": \"text\", \"text\": {\"body\": \"hello\"}}')";
    let id: i64 = web.sql.query_one(send, &[&account]).await.unwrap().get(0);
    let chat: String = web.sql.query_one("SELECT chat FROM messages WHERE id = $1", &[&id]).await.unwrap().get(0);
    for path in [format!("/accounts/{account}"), format!("/accounts/{account}/chats/{chat}")] {
        desk.go(&path).await;
        window.says("main", "set to read messages").await;
        window.says("main", "hello").await;
        assert_eq!(window.texts(".compose, [data-action=cancel-message]").await, Vec::<String>::new(), "{path}");
    }
    // Nor by hand, with the session of the page.
    let ask = "const [method, path, body] = arguments;
               const headers = { 'Content-Type': 'application/json' };
               return fetch(path, { method, headers, body }).then(async (a) => [a.status, (await a.json()).detail])";
    let body = r#"{"to": "+999 000 000 041", "type": "text", "text": {"body": "hello"}}"#;
    for (method, path, body) in [
        ("POST", format!("/api/accounts/{account}/messages"), json!(body)),
        ("DELETE", format!("/api/messages/{id}"), json!(null)),
    ] {
        let answer = window.run(ask, vec![json!(method), json!(path), body]).await;
        assert_eq!(answer[0], json!(403), "{method} {answer}");
        assert!(answer[1].as_str().unwrap().contains("PAIRD_CONSOLE_MESSAGES"), "{answer}");
    }
    assert_eq!(web.count("SELECT count(*) FROM messages WHERE state = 'queued'", &[]).await, 1);
    desk.close().await;
}
