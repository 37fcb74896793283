//! Tags, filters, and accounts as CSV, on the command line.

use paird_testkit::Stage;
use serde_json::{Value, json};

use super::{document, paird, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_added_removed_listed_and_filtered_by() {
    let stage = Stage::empty().await;
    for label in ["desk", "lobby"] {
        stage.web.account(label).await;
    }
    assert!(!text(&paird(&stage, &["accounts", "list"]).await).contains("TAGS"));
    let tagged = text(&paird(&stage, &["accounts", "tag", "desk", " VIP ", "north"]).await);
    assert_eq!(tagged, "desk: VIP, north\n");
    let changed = document(&stage, &["accounts", "tag", "desk", "vip", "south", "--remove", "NORTH"]).await;
    assert_eq!(changed["tags"], json!(["VIP", "south"]));
    assert_eq!(text(&paird(&stage, &["accounts", "tag", "desk"]).await), "desk: VIP, south\n");
    assert_eq!(text(&paird(&stage, &["accounts", "tag", "lobby"]).await), "lobby: no tags\n");
    let table = text(&paird(&stage, &["status"]).await);
    assert!(table.lines().any(|line| line.starts_with("desk") && line.trim_end().ends_with("VIP, south")), "{table}");
    assert!(text(&paird(&stage, &["status", "desk"]).await).contains("tags         VIP, south"));
    let filtered = document(&stage, &["accounts", "list", "--tag", "vip"]).await;
    assert_eq!(filtered.as_array().unwrap().iter().map(|one| &one["label"]).collect::<Vec<_>>(), ["desk"]);
    let found = document(&stage, &["accounts", "list", "--search", "LOB", "--status", "unpaired,held"]).await;
    assert_eq!(found.as_array().unwrap().iter().map(|one| &one["label"]).collect::<Vec<_>>(), ["lobby"]);
    assert_eq!(text(&paird(&stage, &["accounts", "list", "--tag", "none"]).await), "none of 2 accounts is like that\n");
    for args in [
        &["accounts", "tag", "desk", "a,b"][..],
        &["accounts", "tag", "desk", "a", "A"],
        &["accounts", "list", "--status", "dead"],
        &["accounts", "number", "desk", "0660 1"],
    ] {
        assert_eq!(refused(&stage, args).await.0, 2, "{args:?}");
    }
    let number = text(&paird(&stage, &["accounts", "number", "desk", "+43 (0)660 7000041"]).await);
    assert_eq!(number, "desk: only +436607000041 may be linked\n");
    assert_eq!(document(&stage, &["status", "desk"]).await["desiredPhone"], "436607000041");
    assert_eq!(document(&stage, &["accounts", "number", "desk", "none"]).await["desiredPhone"], Value::Null);
    let audit = document(&stage, &["audit", "desk"]).await;
    let tagged = audit.as_array().unwrap().iter().find(|entry| entry["action"] == "account.tagged").unwrap();
    assert_eq!(tagged["source"], "cli");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_and_exported_again() {
    let stage = Stage::empty().await;
    let write = |name: &str, text: &str| std::fs::write(stage.dir.join(name), text).unwrap();
    write("new.csv", "label,tags,expect_phone\ndesk,vip,+43 660 7000042\nlobby,,\n");
    let checked = text(&paird(&stage, &["accounts", "import", "new.csv", "--check"]).await);
    assert_eq!(checked, "new.csv: 2 accounts can be added; nothing was done\n");
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 0);
    let added = document(&stage, &["accounts", "import", "new.csv", "--key", "k"]).await;
    assert_eq!(document(&stage, &["accounts", "import", "new.csv", "--key", "k"]).await, added);
    assert_eq!(added["accounts"].as_array().unwrap().len(), 2);

    let again = paird(&stage, &["accounts", "import", "new.csv"]).await;
    let (said, complaint) = (String::from_utf8(again.stdout).unwrap(), String::from_utf8(again.stderr).unwrap());
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "new.csv:2: label: an account of the operator is called so already",
            "new.csv:3: label: an account of the operator is called so already"
        ]
    );
    assert_eq!(complaint, "paird: new.csv has 2 mistakes; nothing was added\n");
    write("other.csv", "label\nother\n");
    let (code, words) = refused(&stage, &["accounts", "import", "other.csv", "--key", "k"]).await;
    assert!(code == 2 && words.contains("--key"), "{words}");
    assert_eq!(refused(&stage, &["accounts", "import", "missing.csv"]).await.0, 2);
    let wrong = paird(&stage, &["accounts", "import", "new.csv", "--json"]).await;
    let mistakes: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!(mistakes["mistakes"][1]["line"], 3);

    let exported = text(&paird(&stage, &["accounts", "export", "--tag", "vip"]).await);
    assert_eq!(exported.lines().count(), 2);
    assert!(exported.contains("\ndesk,436607000042,,"), "{exported}");
    let told = text(&paird(&stage, &["accounts", "export", "all.csv"]).await);
    assert_eq!(told, "all.csv: 2 accounts written\n");
    let file = std::fs::read_to_string(stage.dir.join("all.csv")).unwrap();
    assert_eq!(file.lines().count(), 3);
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 2);
    stage.finish([]).await;
}
