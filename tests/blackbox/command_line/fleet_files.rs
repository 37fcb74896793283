//! Tags and filters, on the command line.

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
    assert_eq!(text(&paird(&stage, &["accounts", "list", "--tag", "none"]).await), "no account is like that\n");
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
