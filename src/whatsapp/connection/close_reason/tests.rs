use wacore_binary::builder::NodeBuilder;

use super::*;

fn failure_node(reason: &'static str) -> Node {
    NodeBuilder::new("failure").attr("reason", reason).attr("location", "rva").attr("appeal_token", "hidden").build()
}

fn refused_with(reason: ConnectFailureReason) -> CloseReason {
    failure(reason, "raw".to_owned())
}

#[test]
fn every_failure_code_has_its_reason() {
    let raw = || "raw".to_owned();
    for (code, reason) in [
        (400, CloseReason::Refused(raw())),
        (401, CloseReason::NotAuthorized(raw())),
        (402, CloseReason::TemporaryBan { until: None, raw: raw() }),
        (403, CloseReason::Banned(raw())),
        (405, CloseReason::ClientOutdated(raw())),
        (406, CloseReason::Banned(raw())),
        (409, CloseReason::Replaced(raw())),
        (413, CloseReason::Refused(raw())),
        (429, CloseReason::RateLimited(raw())),
        (440, CloseReason::Replaced(raw())),
        (500, CloseReason::ServerBusy(raw())),
        (503, CloseReason::ServerBusy(raw())),
        (516, CloseReason::NotAuthorized(raw())),
        (599, CloseReason::Refused(raw())),
    ] {
        assert_eq!(refused_with(ConnectFailureReason::from(code)), reason, "{code}");
    }
}

#[test]
fn a_stanza_is_described_without_its_one_time_token() {
    assert_eq!(words(&failure_node("403")), "failure 403 location=rva");
    let removed = NodeBuilder::new("stream:error")
        .attr("code", "401")
        .children([NodeBuilder::new("conflict").attr("type", "device_removed").build()])
        .build();
    assert_eq!(words(&removed), "stream:error 401 conflict device_removed");
}

#[test]
fn a_ban_ends_that_long_from_now() {
    assert_eq!(ban_end(3600, Instant(1_000)), Some(Instant(3_601_000)));
    assert_eq!(ban_end(-1, Instant(1_000)), None);
}

#[test]
fn every_stream_error_code_has_its_reason() {
    let raw = |code: &str| format!("stream:error {code}");
    for (code, reason) in [
        ("503", CloseReason::ServerBusy(raw("503"))),
        ("429", CloseReason::RateLimited(raw("429"))),
        ("515", CloseReason::RestartRequired),
        ("401", CloseReason::NotAuthorized(raw("401"))),
        ("516", CloseReason::NotAuthorized(raw("516"))),
        ("440", CloseReason::Replaced(raw("440"))),
        ("402", CloseReason::TemporaryBan { until: None, raw: raw("402") }),
        ("403", CloseReason::Banned(raw("403"))),
        ("405", CloseReason::ClientOutdated(raw("405"))),
        ("599", CloseReason::SocketLost(raw("599"))),
    ] {
        assert_eq!(stream_error(code), reason, "{code}");
    }
}
