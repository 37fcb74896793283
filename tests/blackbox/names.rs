//! The name under "Linked devices" on the phone.

use paird_testkit::Stage;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_lists_the_device_name_set_at_pairing() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_DEVICE_NAME", "everybody's")]).await;
    let (web, number) = (&stage.web, "436601234567");
    let account = web.connect_account("desk", number, &stage.phones).await;
    assert_eq!(stage.phones.devices(number).await[0].label, "everybody's");

    let name = |name: &'static str| async move {
        let set = "UPDATE whatsapp_accounts SET device_name = $2 WHERE id = $1";
        web.sql.execute(set, &[&account, &name]).await.map_err(|refused| refused.to_string() + &format!("{refused:?}"))
    };
    name("Front desk · Wörgl").await.unwrap();
    web.does("account.unpair", account, json!({"logout": true})).await;
    stage.phones.devices_are(number, 0).await;
    web.pair_with(account, number, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.devices_are(number, 1).await[0].label, "Front desk · Wörgl");

    for wrong in ["", " padded ", "two\nlines", "forty-one characters, which is one too ma"] {
        let refused = name(wrong).await.unwrap_err();
        assert!(refused.contains("device_name_is_1_to_40_printable_characters"), "{wrong:?}: {refused}");
    }
    name("forty characters, which is just as many.").await.unwrap();

    // Pairing by code uses the name, too.
    let (second, phone) = (web.account("second").await, "436607654321");
    stage.phones.add(phone).await;
    let set = "UPDATE whatsapp_accounts SET device_name = 'by code' WHERE id = $1";
    web.sql.execute(set, &[&second]).await.unwrap();
    web.does("account.pair", second, json!({"method": "code", "phone": phone})).await;
    let code = web.code(second).await;
    stage.phones.type_code(phone, &code).await.unwrap();
    web.status_is(second, "connected").await;
    assert_eq!(stage.phones.devices(phone).await[0].label, "by code");
    stage.finish([daemon]).await;
}
