//! The metrics: each series moves with what it measures, and none names an account.

use std::{collections::BTreeSet, time::Duration};

use paird_actors::domain::{CommandKind, EventKind, Reason, SendFailure};
use paird_sandbox::{DeliveryFault, Fault, MessageFault, Scope, Writing};
use paird_testkit::{Api, Stage, sample, until};
use serde_json::json;

const NUMBER: &str = "436607000009";

async fn becomes(api: &Api, series: &str, wanted: f64) {
    until(&format!("{series} {wanted}"), || async {
        let exposition = api.get("/metrics").await.is(200).text();
        (sample(&exposition, series) == Some(wanted)).then_some(())
    })
    .await;
}

/// The values of the one label that the series has.
fn labels<'a>(exposition: &'a str, series: &str) -> Vec<&'a str> {
    let lines = exposition.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix('"'));
    lines.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_follow_a_pairing_a_lost_connection_a_failed_command() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let desk = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    for step in ["opened", "first_qr", "scanned", "confirmed", "logged_in"] {
        becomes(&api, &format!("paird_pairing_steps_total{{step=\"{step}\"}}"), 1.0).await;
    }
    becomes(&api, "paird_first_qr_duration_seconds_count", 1.0).await;
    becomes(&api, "paird_login_after_scan_duration_seconds_count", 1.0).await;
    becomes(&api, "paird_connections_open", 1.0).await;
    becomes(&api, "paird_fleet_accounts{status=\"connected\",reason=\"\"}", 1.0).await;
    becomes(&api, "paird_events_total{type=\"session.connected\"}", 1.0).await;
    becomes(&api, "paird_commands_taken_total{kind=\"account.pair\"}", 1.0).await;

    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    becomes(&api, "paird_connection_ends_total{reason=\"socket_lost\"}", 1.0).await;
    becomes(&api, "paird_connections_total{purpose=\"login\"}", 1.0).await;
    becomes(&api, "paird_login_duration_seconds_count", 1.0).await;

    becomes(&api, "paird_messages_total{kind=\"text\"}", 0.0).await;
    stage.phones.keys_told(NUMBER).await;
    stage.phones.send("999000000001", Writing::text(NUMBER, "hello")).await;
    becomes(&api, "paird_messages_total{kind=\"text\"}", 1.0).await;
    becomes(&api, "paird_message_lag_duration_seconds_count", 1.0).await;
    let garbled = Fault::Delivery { how: DeliveryFault::Garbled, number: Some(NUMBER.to_owned()), times: Some(100) };
    stage.phones.fault(garbled).await;
    stage.phones.set_online(NUMBER, false).await;
    stage.phones.send("999000000001", Writing::text(NUMBER, "unreadable")).await;
    becomes(&api, "paird_messages_total{kind=\"waiting\"}", 1.0).await;
    becomes(&api, "paird_fleet_messages_waiting", 1.0).await;
    stage.phones.set_online(NUMBER, true).await;
    becomes(&api, "paird_messages_total{kind=\"text\"}", 2.0).await;
    becomes(&api, "paird_fleet_messages_waiting", 0.0).await;
    stage.phones.send(NUMBER, Writing::text("999000000001", "an echo that nobody can read")).await;
    becomes(&api, "paird_message_requests_total", 1.0).await;

    let failed = stage.web.ask("account.no such \"kind\"", desk, json!({})).await;
    assert_eq!(failed.0, "failed");
    becomes(&api, "paird_commands_taken_total{kind=\"invalid\"}", 1.0).await;
    becomes(&api, "paird_command_ends_total{outcome=\"failed\"}", 1.0).await;

    let exposition = api.get("/metrics").await.is(200).text();
    assert!(sample(&exposition, "process_resident_memory_bytes").unwrap() > 1e6, "{exposition}");
    assert!(sample(&exposition, "process_cpu_seconds_total").unwrap() > 0.0, "{exposition}");
    let started = sample(&exposition, "process_start_time_seconds").unwrap();
    let age = chrono::Utc::now().timestamp() as f64 - started;
    assert!((-2.0..600.0).contains(&age), "it began {age} s ago");
    assert!(sample(&exposition, "paird_tasks").unwrap() > 1.0);
    assert_eq!(sample(&exposition, "paird_lease_live"), Some(1.0));
    let store = sample(&exposition, "paird_store_duration_seconds_count{operation=\"record\"}").unwrap();
    assert!(store >= 5.0, "writes of a pairing: {store}");
    for name in ["desk", NUMBER, &desk.to_string()] {
        assert!(!exposition.contains(name), "{name} is in the metrics");
    }
    for kind in labels(&exposition, "paird_events_total{type=") {
        assert!(EventKind::parse(kind).is_some(), "{kind}");
    }
    for kind in labels(&exposition, "paird_commands_taken_total{kind=") {
        assert!(CommandKind::parse(kind).is_some() || kind == "invalid", "{kind}");
    }
    let ends = labels(&exposition, "paird_connection_ends_total{reason=");
    assert!(ends.contains(&"banned") && ends.iter().all(|reason| Reason::parse(reason).is_some()), "{ends:?}");
    let begun = labels(&exposition, "paird_events_total{type=");
    for kind in EventKind::ALL.iter().filter(|kind| kind.is_terminal()) {
        assert!(begun.contains(&kind.as_str()), "{kind} has no series before its first event");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_pools_proxies_and_wrong_tokens_are_counted() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    becomes(&api, "paird_console_wrong_tokens_total{how=\"login\"}", 0.0).await;
    api.bare("GET", "/api/accounts", &[("Authorization", "Bearer no")], None).await.is(401);
    api.bare("GET", "/api/accounts", &[], None).await.is(401);
    api.bare("POST", "/login", &[("Content-Type", "application/json")], Some(b"{\"token\":\"no\"}".to_vec()))
        .await
        .is(401);
    becomes(&api, "paird_console_wrong_tokens_total{how=\"bearer\"}", 1.0).await;
    becomes(&api, "paird_console_wrong_tokens_total{how=\"login\"}", 1.0).await;

    for id in ["a", "b", "c"] {
        api.get(&format!("/api/accounts/{id}")).await;
        api.get(&format!("/{id}/nowhere")).await;
    }
    api.ask("BREW", "/api/accounts", &[], None).await;
    let request = |route: &str, method: &str, status: &str| {
        format!(
            "paird_http_requests_total{{listener=\"console\",route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        )
    };
    becomes(&api, &request("/api/accounts/{id}", "GET", "4xx"), 3.0).await;
    becomes(&api, &request("/api/accounts", "GET", "4xx"), 2.0).await;
    becomes(&api, &request("none", "GET", "4xx"), 3.0).await;
    becomes(&api, &request("/api/accounts", "other", "4xx"), 1.0).await;
    let took = "paird_http_request_duration_seconds_count{listener=\"console\",route=\"/api/accounts/{id}\"}";
    becomes(&api, took, 3.0).await;
    let exposition = api.get("/metrics").await.is(200).text();
    for pool in ["accounts", "keys", "heartbeat", "console", "vitals", "messages"] {
        let most = sample(&exposition, &format!("paird_pool_connections_max{{pool=\"{pool}\"}}"));
        assert!(most.is_some_and(|most| most >= 2.0), "{pool}: {most:?}");
        assert_eq!(sample(&exposition, &format!("paird_pool_waiting{{pool=\"{pool}\"}}")), Some(0.0), "{pool}");
    }
    let idle = sample(&exposition, "paird_pool_connections{pool=\"heartbeat\",state=\"idle\"}").unwrap();
    let used = sample(&exposition, "paird_pool_connections{pool=\"heartbeat\",state=\"used\"}").unwrap();
    assert!(idle + used >= 1.0, "the lease is renewed on a connection");
    assert!(sample(&exposition, "process_max_fds").unwrap() > sample(&exposition, "process_open_fds").unwrap());
    assert!(sample(&exposition, "process_virtual_memory_bytes").unwrap() > 1e6);

    becomes(&api, "paird_notified_commands_total{outcome=\"not_allowed\"}", 0.0).await;
    stage.web.sql.batch_execute("NOTIFY paird_command, '{\"type\":\"account.cancel\"}'").await.unwrap();
    becomes(&api, "paird_notified_commands_total{outcome=\"stored\"}", 1.0).await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    becomes(&api, "paird_proxy_dials_total{outcome=\"unreachable\"}", 0.0).await;
    let desk = stage.web.account("desk").await;
    let sql = "UPDATE whatsapp_accounts SET proxy = $2 WHERE id = $1";
    stage.web.sql.execute(sql, &[&desk, &format!("socks5://{nobody}")]).await.unwrap();
    stage.web.send("account.pair", desk, json!({})).await;
    until("a try through the proxy", || async {
        let exposition = api.get("/metrics").await.is(200).text();
        (sample(&exposition, "paird_proxy_dials_total{outcome=\"unreachable\"}")? >= 1.0).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_sent_is_counted_and_its_age_is_told() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    for reason in SendFailure::ALL {
        becomes(&api, &format!("paird_outgoing_failures_total{{reason=\"{reason}\"}}"), 0.0).await;
    }
    let desk = stage.web.account("desk").await;
    let queue = "SELECT send_message($1, jsonb_build_object('to', $2::text, 'type', 'text', 'text', '{\"body\": \"hello\"}'::jsonb))";
    for to in ["436607000051", "436607000052"] {
        stage.web.sql.execute(queue, &[&desk, &to]).await.unwrap();
    }
    becomes(&api, "paird_fleet_messages_queued", 2.0).await;
    // Nobody expects an account that is off line to send, nor what is to wait.
    stage.web.sql.batch_execute("UPDATE messages SET due_at = now() - interval '1 hour'").await.unwrap();
    becomes(&api, "paird_fleet_oldest_message_age_seconds", 0.0).await;
    let held_up = "UPDATE messages SET reason = 'new_chat_limit', due_at = now() - interval '2 hours'
                   WHERE id = (SELECT min(id) FROM messages);
                   UPDATE whatsapp_accounts SET status = 'connected'";
    stage.web.sql.batch_execute(held_up).await.unwrap();
    until("the age of the one that should be sent", || async {
        let exposition = api.get("/metrics").await.is(200).text();
        let age = sample(&exposition, "paird_fleet_oldest_message_age_seconds")?;
        assert!(age < 7000.0, "one that waits for a reason is not late: {age}");
        (age >= 3600.0).then_some(())
    })
    .await;
    becomes(&api, "paird_fleet_sending_paused", 0.0).await;
    let pause = "UPDATE whatsapp_accounts SET sending_paused_until = now() + interval '1 day'";
    stage.web.sql.batch_execute(pause).await.unwrap();
    becomes(&api, "paird_fleet_sending_paused", 1.0).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_sent_messages_and_how_long_it_took_is_told() {
    const ANNA: &str = "436607000053";
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.phones.add(ANNA).await;
    let desk = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    becomes(&api, "paird_outgoing_messages_total{outcome=\"sent\"}", 0.0).await;
    let text = json!({"to": ANNA, "type": "text", "text": {"body": "hello"}});
    let send = async || {
        api.post(&format!("/api/accounts/{desk}/messages"), text.clone()).await.is(202);
    };
    send().await;
    becomes(&api, "paird_outgoing_messages_total{outcome=\"sent\"}", 1.0).await;
    becomes(&api, "paird_outgoing_wire_duration_seconds_count", 1.0).await;
    becomes(&api, "paird_outgoing_acknowledgement_duration_seconds_count", 1.0).await;
    let refused = Fault::Message { how: MessageFault::Nack(479), number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(refused).await;
    send().await;
    becomes(&api, "paird_outgoing_failures_total{reason=\"refused\"}", 1.0).await;
    becomes(&api, "paird_outgoing_messages_total{outcome=\"failed\"}", 1.0).await;
    becomes(&api, "paird_outgoing_wire_duration_seconds_count", 2.0).await;
    becomes(&api, "paird_outgoing_acknowledgement_duration_seconds_count", 1.0).await;
    let exposition = api.get("/metrics").await.is(200).text();
    for operation in ["take_messages", "settle_messages", "record_receipts"] {
        let series = format!("paird_store_duration_seconds_count{{operation=\"{operation}\"}}");
        assert!(sample(&exposition, &series).is_some_and(|count| count >= 1.0), "{operation}");
    }
    assert!(!exposition.contains(ANNA));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_without_the_database_tells_the_age_of_its_figures() {
    let (mut stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    becomes(&api, "paird_fleet_daemons", 1.0).await;
    stage.database.take().unwrap().stop().await;
    until("old figures", || async {
        let exposition = api.get("/metrics").await.is(200).text();
        let age = sample(&exposition, "paird_fleet_figures_age_seconds")?;
        assert_eq!(sample(&exposition, "paird_fleet_daemons"), Some(1.0));
        (Duration::from_secs_f64(age) > Duration::from_secs(3)).then_some(())
    })
    .await;
    assert!(daemon.terminate().await.success());
    stage.finish_without_database().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alert_series_exist() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    // A series is described once it has counted something.
    let exposition = until("a first statement that was timed", || async {
        let exposition = api.get("/metrics").await.is(200).text();
        let described = |name: &str| exposition.contains(&format!("# HELP {name}"));
        (described("paird_store_duration_seconds") && described("paird_http_requests")).then_some(exposition)
    })
    .await;
    let described: BTreeSet<&str> =
        exposition.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let asked = [include_str!("../../../.deploy/grafana/paird.json"), include_str!("../../../.deploy/alerts.yaml")];
    let mut names = BTreeSet::new();
    for text in asked {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        names.extend(words.filter(|word| word.starts_with("paird_") || word.starts_with("process_")));
    }
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let series = ["_total", "_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        assert!(described.contains(series.unwrap_or(name)), "{name} is asked for and not there: {described:?}");
    }
    stage.finish([daemon]).await;
}
