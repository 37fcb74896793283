//! Accounts as CSV: out of one fleet and into another.

use paird_testkit::{Answer, Api, Stage};
use serde_json::{Value, json};
use uuid::Uuid;

const FILE: &str = "label,expect_phone,proxy,operator,tags,device_name\n\
                    \"Desk, front\",+43 660 7000031,socks5://10.0.0.7:1080,,\"vip, north\",Front desk\n\
                    lobby,,,00000000-0000-0000-0000-000000000009,,\n\
                    lobby,,,,,\n";

async fn import(api: &Api, query: &str, headers: &[(&str, &str)], file: impl Into<Vec<u8>>) -> Answer {
    let bearer = format!("Bearer {}", api.token);
    let all =
        [&[("Authorization", bearer.as_str()), ("Content-Type", "text/csv; charset=utf-8")][..], headers].concat();
    api.bare("POST", &format!("/api/accounts/import{query}"), &all, Some(file.into())).await
}

async fn accounts(stage: &Stage) -> i64 {
    stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_then_added_whole_and_never_twice() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let mut live = api.follow(None);
    let checked = import(&api, "?dryRun=true", &[], FILE).await.is(200).json();
    assert_eq!((&checked["dryRun"], &checked["accounts"][2]["id"]), (&json!(true), &Value::Null));
    assert_eq!(accounts(&stage).await, 0);

    let key = [("Idempotency-Key", "file-1")];
    let added = import(&api, "", &key, FILE).await.is(201).json();
    let rows: Vec<_> = added["accounts"].as_array().unwrap().iter().map(|row| (&row["line"], &row["label"])).collect();
    let (desk, lobby) = (json!("Desk, front"), json!("lobby"));
    assert_eq!(rows, [(&json!(2), &desk), (&json!(3), &lobby), (&json!(4), &lobby)]);
    let id = added["accounts"][0]["id"].as_str().unwrap();
    live.until("the new account", |told| told.kind == "account" && told.data["id"] == id).await;
    let shown = api.account(id).await;
    assert_eq!((&shown["desiredPhone"], &shown["deviceName"]), (&json!("436607000031"), &json!("Front desk")));
    assert_eq!((&shown["proxy"], &shown["tags"]), (&json!("socks5://10.0.0.7:1080"), &json!(["vip", "north"])));
    assert_eq!(
        api.account(added["accounts"][1]["id"].as_str().unwrap()).await["operatorId"],
        Uuid::from_u128(9).to_string()
    );

    // The same request again, also many at once, and before and after a check.
    let again = futures_util::future::join_all((0..6).map(|_| import(&api, "", &key, FILE))).await;
    assert!(again.into_iter().all(|again| again.is(201).json() == added));
    for other in ["label\nlobby\n", &format!("{FILE}one more,,,,,\n"), &FILE.replace("Desk", "Desc")] {
        let refused = import(&api, "", &key, other).await.problem(422);
        assert!(refused["detail"].as_str().unwrap().contains("Idempotency-Key"), "{refused}");
    }
    let twice = import(&api, "", &[], FILE).await.problem(422);
    assert_eq!((&twice["mistakeCount"], &twice["type"]), (&json!(3), &json!("urn:paird:problem:file-with-mistakes")));
    assert!(twice["mistakes"][0]["detail"].as_str().unwrap().contains("called so already"), "{twice}");
    assert_eq!(accounts(&stage).await, 3);
    let audit = api.get(&format!("/api/accounts/{id}/audit")).await.is(200).json();
    let actions: Vec<_> = audit["records"].as_array().unwrap().iter().map(|record| record["action"].clone()).collect();
    assert!(actions.contains(&json!("account.added")) && actions.contains(&json!("account.tagged")), "{actions:?}");
    assert!(audit["records"].as_array().unwrap().iter().all(|record| record["source"] == "api"), "{audit}");

    api.does(id, "account.delete", json!({})).await;
    assert!(import(&api, "", &key, FILE).await.problem(409)["detail"].as_str().unwrap().contains("deleted"));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_equal_files_at_one_moment_one_is_added() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let answers = futures_util::future::join_all((0..6).map(|_| import(&api, "", &[], FILE))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422, 422, 422, 422, 422]);
    assert_eq!(accounts(&stage).await, 3);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_mistakes_adds_nothing_and_names_them_all() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.web.connect_account("taken", "436607000032", &stage.phones).await;
    let file = "label,expect_phone,proxy\nok,,\ntaken,,\n,12,\nother,0043 660/7000032,http://u:secret-of-it@h:1\n";
    let problem = import(&api, "", &[], file).await.problem(422);
    let named: Vec<String> = problem["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wrong| format!("{} {}", wrong["line"], wrong["column"].as_str().unwrap()))
        .collect();
    assert_eq!(named, ["4 expect_phone", "4 label", "5 proxy"]);
    assert!(!problem.to_string().contains("secret-of-it"), "{problem}");
    let file = "label,expect_phone\ntaken,\nother,0043 660/7000032\n";
    let problem = import(&api, "?dryRun=true", &[], file).await.problem(422);
    assert_eq!(
        problem["mistakes"][0],
        json!({
            "line": 2, "column": "label", "detail": "an account of the operator is called so already"
        })
    );
    assert!(problem["mistakes"][1]["detail"].as_str().unwrap().contains("\"taken\""), "{problem}");

    let huge = [b"label\n".as_slice(), "x".repeat(1024 * 1024).as_bytes()].concat();
    for (file, status, named) in [
        (b"label;tags\ndesk;vip\n".to_vec(), 422, "no column"),
        (b"label\n\xff\n".to_vec(), 422, "not UTF-8"),
        (b"label\na\0b\n".to_vec(), 422, "control characters"),
        (b"label,label\na,b\n".to_vec(), 422, "twice"),
        (b"".to_vec(), 422, "empty"),
        (huge, 422, "200 characters"),
        (vec![b'x'; 5 * 1024 * 1024 + 1], 413, "split it"),
    ] {
        let problem = import(&api, "", &[], file).await.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(named), "{problem}");
        assert!(problem.to_string().len() < 2_000);
    }
    import(&api, "?dryRun=maybe", &[], FILE).await.problem(400);
    import(&api, "?check=true", &[], FILE).await.problem(400);
    api.post("/api/accounts/import", json!({"label": "x"})).await.problem(415);
    assert_eq!(accounts(&stage).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_accounts_are_added_in_one_request() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let rows: String = (0..10_000).map(|n| format!("account {n},4366{:08},\"vip, t{n}\"\n", n + 1)).collect();
    let begun = std::time::Instant::now();
    let added = import(&api, "", &[], format!("label,expect_phone,tags\n{rows}")).await.is(201).json();
    eprintln!("10,000 accounts in {:.1} s", begun.elapsed().as_secs_f64());
    assert_eq!(added["accounts"].as_array().unwrap().len(), 10_000);
    let page = api.get("/api/accounts?limit=3&tag=VIP").await.is(200).json();
    let labels: Vec<_> = page["accounts"].as_array().unwrap().iter().map(|account| account["label"].clone()).collect();
    assert_eq!(labels, ["account 0", "account 1", "account 2"], "in the order of the file");
    let csv = api.get("/api/accounts.csv").await.is(200);
    assert_eq!(csv.text().lines().count(), 10_001);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_file_has_no_login_and_no_formula() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    for label in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@x", "Desk, \"front\""] {
        stage.web.account(label).await;
    }
    let sql = "UPDATE whatsapp_accounts SET proxy = 'socks5://u:secret-of-it@10.0.0.7:1080', tags = '{vip,north}',
                      last_phone_number = '436607000033', desired_phone = '436607000033' WHERE label LIKE 'Desk%'";
    stage.web.sql.batch_execute(sql).await.unwrap();
    let file = api.get("/api/accounts.csv").await.is(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(file.header("content-disposition").contains("accounts.csv"));
    let text = file.text();
    assert!(!text.contains("secret-of-it"), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "label,expect_phone,proxy,operator,tags,device_name,status,reason,phone,last_phone,id,created_at"
    );
    for (line, begin) in [(1, "\"'=HYPERLINK(\"\"http://x\"\")\","), (2, "'+1,"), (3, "'-1,"), (4, "'@x,")] {
        assert!(lines[line].starts_with(begin), "{}", lines[line]);
    }
    let operator = Uuid::from_u128(1);
    let desk = format!(
        "\"Desk, \"\"front\"\"\",436607000033,socks5://10.0.0.7:1080,{operator},\"vip, north\",,unpaired,new,,436607000033,"
    );
    assert!(lines[5].starts_with(&desk), "{}", lines[5]);

    let filtered = api.get("/api/accounts.csv?tag=vip").await.is(200).text();
    assert_eq!(filtered.lines().count(), 2);
    api.get("/api/accounts.csv?limit=1").await.problem(400);

    // The columns that a file may have come back as they went.
    stage.web.does("account.delete", account_of(&api, "Desk, \"front\"").await, json!({})).await;
    let cells: Vec<&str> = lines[5].split(",unpaired").next().unwrap().lines().collect();
    let back = format!("label,expect_phone,proxy,operator,tags,device_name\n{}\n", cells[0]);
    let added = import(&api, "", &[], back).await.is(201).json();
    let shown = api.account(added["accounts"][0]["id"].as_str().unwrap()).await;
    assert_eq!((&shown["label"], &shown["tags"]), (&json!("Desk, \"front\""), &json!(["vip", "north"])));
    stage.finish([daemon]).await;
}

async fn account_of(api: &Api, label: &str) -> Uuid {
    let list = api.get("/api/accounts").await.is(200).json();
    let found = list["accounts"].as_array().unwrap().iter().find(|account| account["label"] == label).unwrap();
    found["id"].as_str().unwrap().parse().unwrap()
}
