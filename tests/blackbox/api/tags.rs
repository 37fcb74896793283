//! Tags, and the number that an account is for.

use paird_testkit::{Api, Stage};
use serde_json::{Value, json};

const NUMBER: &str = "436607000021";
const OTHER: &str = "436607000022";

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_set_changed_shown_and_audited() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    let path = format!("/api/accounts/{account}/tags");
    let mut live = api.follow(None);
    live.until("the account", |told| told.kind == "account" && told.data["tags"] == json!([])).await;

    let set = api.ask("PUT", &path, &[], Some(json!({"tags": [" VIP ", "north wing"]}))).await.is(200).json();
    assert_eq!(set["tags"], json!(["VIP", "north wing"]));
    live.until("the tags", |told| told.kind == "account" && told.data["tags"] == json!(["VIP", "north wing"])).await;
    let change = json!({"add": ["vip", "south"], "remove": ["NORTH WING", "never there"]});
    let changed = api.ask("PATCH", &path, &[], Some(change)).await.is(200).json();
    assert_eq!(changed["tags"], json!(["VIP", "south"]));
    let adding = (0..8).map(|n| {
        let (api, path) = (&api, &path);
        async move { api.ask("PATCH", path, &[], Some(json!({"add": [format!("t{n}")]}))).await.is(200) }
    });
    futures_util::future::join_all(adding).await;
    let listed = api.get("/api/accounts").await.is(200).json();
    assert_eq!(listed["accounts"][0]["tags"].as_array().unwrap().len(), 10, "no change at the same time was lost");

    for (method, body, named) in [
        ("PUT", json!({"tags": ["a,b"]}), "tags: a tag has a comma"),
        ("PUT", json!({"tags": ["x".repeat(41)]}), "40 characters"),
        ("PUT", json!({"tags": ["a", "A"]}), "twice"),
        ("PUT", json!({"tags": [""]}), "empty"),
        ("PUT", json!({"tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}), "20 tags"),
        ("PUT", json!({}), "tags"),
        ("PATCH", json!({"add": (0..15).map(|n| format!("more {n}")).collect::<Vec<_>>()}), "tags_are_at_most_20"),
        ("PATCH", json!({"remove": ["a\tb"]}), "control"),
        ("PATCH", json!({"tags": ["a"]}), "unknown field"),
    ] {
        let refused = api.ask(method, &path, &[], Some(body)).await.problem(422);
        assert!(refused["detail"].as_str().unwrap().contains(named), "{refused}");
    }
    api.ask("PUT", &format!("/api/accounts/{}/tags", uuid::Uuid::nil()), &[], Some(json!({"tags": []})))
        .await
        .problem(404);

    let cleared = api.ask("PUT", &path, &[], Some(json!({"tags": []}))).await.is(200).json();
    assert_eq!(cleared["tags"], json!([]));
    let audit = api.get(&format!("/api/accounts/{account}/audit")).await.is(200).json();
    let newest = &audit["records"][0];
    assert_eq!((&newest["action"], &newest["source"]), (&json!("account.tagged"), &json!("api")));
    assert_eq!((&newest["payload"]["tags"], &newest["channel"]), (&json!([]), &json!("row")));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_desired_number_is_linked_until_another_is_named() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    let path = format!("/api/accounts/{account}/desired-phone");
    for number in [NUMBER, OTHER] {
        stage.phones.add(number).await;
    }
    let set = json!({"desiredPhone": "+43 (0)660 7000021"});
    assert_eq!(api.ask("PUT", &path, &[], Some(set)).await.is(200).json()["desiredPhone"], NUMBER);
    api.ask("PUT", &path, &[], Some(json!({"desiredPhone": "0660 1"}))).await.problem(422);

    stage.web.pair_with(account, OTHER, &stage.phones).await;
    let refused = stage.web.event(account, "session.wrong_phone", 0).await;
    assert_eq!((&refused.payload["expectedPhone"], &refused.payload["phoneNumber"]), (&json!(NUMBER), &json!(OTHER)));
    assert_eq!(stage.phones.devices_are(OTHER, 0).await.len(), 0);
    stage.web.does("account.pair", account, json!({"expectPhone": OTHER})).await;
    stage.web.scan(account, OTHER, &stage.phones).await;
    stage.web.status_is(account, "connected").await;
    assert_eq!(api.ask("DELETE", &path, &[], None).await.is(200).json()["desiredPhone"], Value::Null);
    stage.finish([daemon]).await;
}
