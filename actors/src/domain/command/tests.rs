use serde_json::json;

use super::*;

#[test]
fn a_pair_without_arguments_is_a_qr_pair() {
    for args in [json!({}), json!(null), json!({"method": "qr"}), json!({"method": null})] {
        let qr = Command::Pair(PairRequest { method: PairMethod::Qr, expect_phone: None });
        assert_eq!(Command::parse("account.pair", &args), Ok(qr), "{args}");
    }
}

#[test]
fn a_wrong_argument_is_named_and_its_value_is_not_repeated() {
    let wrong = |kind: &str, args: Value| Command::parse(kind, &args).unwrap_err().to_string();
    assert_eq!(wrong("account.pair", json!({"expectphone": "1"})), "account.pair: unknown argument \"expectphone\"");
    assert_eq!(wrong("account.pair", json!({"method": "code"})), "account.pair: method \"code\" needs phone");
    assert!(
        wrong("account.pair", json!({"expectPhone": "0660 1234567"}))
            .contains("expectPhone: phone number starts with 0")
    );
    assert!(!wrong("account.pair", json!({"expectPhone": "call-me-4367"})).contains("4367"));
    assert!(wrong("account.unpair", json!({"logout": "yes"})).contains("logout is not true or false"));
    assert!(wrong("account.unpair", json!(["logout"])).contains("not a JSON object"));
    assert!(wrong("account.explode", json!({})).contains("unknown command kind \"account.explode\""));
}

#[test]
fn a_code_links_its_own_phone_only() {
    let pair = |args: Value| Command::parse("account.pair", &args);
    let code = |expect: &str| pair(json!({"method": "code", "phone": "+43 660 1234567", "expectPhone": expect}));
    let different = code("+43 660 7654321").unwrap_err().to_string();
    assert!(different.contains("different numbers") && !different.contains("660"), "{different}");
    for same in ["436601234567", "0043 660 1234567", "+43 (660) 123-45.67"] {
        let Ok(Command::Pair(request)) = code(same) else { panic!("{same} is the same number") };
        assert_eq!(request.only_phone().map(Phone::digits), Some("436601234567"));
    }
    let Ok(Command::Pair(alone)) = pair(json!({"method": "code", "phone": "436601234567"})) else { panic!() };
    assert_eq!(alone.only_phone().map(Phone::digits), Some("436601234567"));
}

#[test]
fn a_number_is_read_as_people_write_it_or_refused_by_name() {
    let expect = |phone: &str| match Command::parse("account.pair", &json!({"expectPhone": phone})) {
        Ok(Command::Pair(request)) => Ok(request.expect_phone.map(|phone| phone.digits().to_owned())),
        Ok(other) => panic!("{other:?}"),
        Err(wrong) => Err(wrong.to_string()),
    };
    for written in ["+43 660 1234567", "0043 660 1234567", "00 43-660-123.45.67", "43(660)1234567", " +436601234567 "] {
        assert_eq!(expect(written), Ok(Some("436601234567".to_owned())), "{written}");
    }
    for (wrong, why) in [
        ("0660 1234567", "starts with 0"),
        ("+0043 660 12345", "starts with 0"),
        ("", "empty"),
        ("00", "empty"),
        ("43 12", "4 digits"),
        ("1234567890123456", "16 digits"),
        ("+43 660 CALL", "characters other than digits, spaces and + - ( ) . /, the first is 'C'"),
    ] {
        let said = expect(wrong).unwrap_err();
        assert!(said.contains(why), "{wrong}: {said}");
    }
}

#[test]
fn a_passkey_answer_is_one_thing_and_never_shows_in_debug() {
    let answer = Command::parse("account.passkey", &json!({"response": {"id": "s3cret"}})).unwrap();
    assert!(!format!("{answer:?}").contains("s3cret"));
    assert!(Command::parse("account.passkey", &json!({})).is_err());
    assert!(Command::parse("account.passkey", &json!({"response": "x", "confirm": true})).is_err());
}

#[test]
fn what_is_wrong_about_a_chat_is_named_and_not_repeated() {
    let wrong = |kind: &str, args: Value| Command::parse(kind, &args).unwrap_err().to_string();
    for (args, field) in [
        (json!({}), "chat: must be a phone number"),
        (json!({"chat": "call 4367", "upTo": 1}), "chat: must be a phone number"),
        (json!({"chat": 436601234567i64, "upTo": 1}), "chat is not a string"),
        (json!({"chat": "436601234567"}), "upTo: must be the id of a message"),
        (json!({"chat": "436601234567", "upTo": "1"}), "upTo: must be the id of a message"),
        (json!({"chat": "436601234567", "upTo": 0}), "upTo: must be the id of a message"),
        (json!({"chat": "436601234567", "upTo": 1.5}), "upTo: must be the id of a message"),
        (json!({"chat": "436601234567", "upTo": 1, "upto": 1}), "unknown argument \"upto\""),
    ] {
        let said = wrong("chat.read", args.clone());
        assert!(said.starts_with("chat.read: ") && said.contains(field) && !said.contains("4367"), "{args}: {said}");
    }
    for (args, field) in [
        (json!({"chat": "436601234567"}), "state: must be composing, recording or paused"),
        (json!({"chat": "436601234567", "state": "available"}), "state: must be composing, recording or paused"),
        (json!({"state": "composing"}), "chat: must be a phone number"),
    ] {
        let said = wrong("chat.typing", args.clone());
        assert!(said.starts_with("chat.typing: ") && said.contains(field), "{args}: {said}");
    }
}

#[test]
fn numbers_to_check_are_read_as_everywhere_and_bounded() {
    let check = |phones: Value| Command::parse("contact.check", &json!({"phones": phones}));
    let Ok(Command::Online(OnlineRequest::CheckContacts { phones })) =
        check(json!(["+43 660 1234567", "0043 660 7654321"]))
    else {
        panic!("two numbers")
    };
    assert_eq!(phones.iter().map(Phone::digits).collect::<Vec<_>>(), ["436601234567", "436607654321"]);
    let most: Vec<String> = (0..CONTACTS_PER_CHECK).map(|nth| format!("4366012345{nth:02}")).collect();
    assert!(check(json!(most)).is_ok());
    let more: Vec<String> = (0..=CONTACTS_PER_CHECK).map(|nth| format!("4366012345{nth:02}")).collect();
    for wrong in [json!(more), json!([]), json!(null), json!("436601234567"), json!([436601234567i64]), json!({})] {
        let said = check(wrong.clone()).unwrap_err().to_string();
        assert_eq!(said, "contact.check: phones: must be a list of 1 to 50 phone numbers", "{wrong}");
    }
    let said = check(json!(["436601234567", "0660 7654321"])).unwrap_err().to_string();
    assert!(said.starts_with("contact.check: phones: phone number starts with 0") && !said.contains("765"), "{said}");
}
