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
    let wrong = |kind: &str, args: Value| Command::parse(kind, &args).unwrap_err();
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
fn a_passkey_answer_is_one_thing_and_never_shows_in_debug() {
    let answer = Command::parse("account.passkey", &json!({"response": {"id": "s3cret"}})).unwrap();
    assert!(!format!("{answer:?}").contains("s3cret"));
    assert!(Command::parse("account.passkey", &json!({})).is_err());
    assert!(Command::parse("account.passkey", &json!({"response": "x", "confirm": true})).is_err());
}
