//! The admin API and the server's outer edges, without any client.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::net::SocketAddr;

use paird_sandbox::{Content, Fault, Group, Naming, Pace, PausePoint, Remote, Sandbox, Settings, SharedGroup, Writing};

const NUMBER: &str = "15550001111";

async fn sandbox() -> (Sandbox, Remote) {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let remote = Remote::new(&sandbox.admin_url());
    (sandbox, remote)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_on_loopback_is_refused() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    for settings in
        [Settings { listen: everywhere, ..Settings::default() }, Settings { admin: everywhere, ..Settings::default() }]
    {
        let refused = Sandbox::start(settings).await.err().unwrap();
        assert!(refused.to_string().ends_with("is not on loopback"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_a_phone_twice_is_adding_it_once() {
    let (_sandbox, remote) = sandbox().await;
    remote.add_phone(NUMBER).unwrap();
    remote.add_phone(NUMBER).unwrap();
    assert_eq!((remote.phones().unwrap(), remote.devices(NUMBER).unwrap()), (vec![NUMBER.to_owned()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_requests_are_refused_in_words() {
    let (_sandbox, remote) = sandbox().await;
    let said = |refused: Result<(), paird_sandbox::RemoteError>| refused.unwrap_err().to_string();
    assert_eq!(said(remote.devices(NUMBER).map(drop)), "no such phone; add it first");
    assert_eq!(said(remote.add_phone("abc")), "a phone number is 7 to 15 digits and does not begin with 0");
    remote.add_phone(NUMBER).unwrap();
    assert_eq!(said(remote.scan(NUMBER, "nonsense")), "a pairing qr has 5 fields, this one has 1");
    assert_eq!(said(remote.scan_png(NUMBER, "####")), "the picture is not base64: Invalid symbol 35, offset 0.");
    assert_eq!(said(remote.type_code(NUMBER, "ABCD1234")), "no code is on show for this number");
    assert_eq!(said(remote.unlink(NUMBER, "15550001111:9@s.whatsapp.net")), "the phone has no such device");
    assert_eq!(said(remote.unlink(NUMBER, "15550002222:1@s.whatsapp.net")), "the device is not of this phone");
    let no_refs = Pace { refs: 0, ..Pace::default() };
    assert_eq!(said(remote.set_pace(&no_refs)), "a pairing socket needs at least one ref");
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_write_to_each_other_by_the_admin_api() {
    let (_sandbox, remote) = sandbox().await;
    remote.add_phone(NUMBER).unwrap();
    remote.set_push_name(NUMBER, "Ada").unwrap();
    let companion = remote.add_companion(NUMBER).unwrap();
    assert_eq!(remote.devices(NUMBER).unwrap()[0].jid, format!("{NUMBER}:{companion}@s.whatsapp.net"));
    let stranger = "99900000001";
    let written = remote.send(stranger, &Writing::text(NUMBER, "who is there?")).unwrap();
    assert_eq!(written.devices, [0, companion].map(|device| format!("{NUMBER}:{device}@s.whatsapp.net")));
    let reply = Content::Reply { to: written.id.clone(), text: "Ada".to_owned() };
    let reply = remote.send(NUMBER, &Writing { device: companion, ..Writing::new(stranger, reply) }).unwrap();
    for (number, device) in [(stranger, 0), (NUMBER, 0), (NUMBER, companion)] {
        let shown = remote.messages(number, device).unwrap();
        let ids: Vec<&str> = shown.iter().map(|shown| shown.id.as_str()).collect();
        assert_eq!(ids, [&written.id, &reply.id]);
        assert_eq!(shown[1].refers_to.as_ref(), Some(&written.id));
    }
    assert_eq!(remote.messages(stranger, 0).unwrap()[1].push_name, "Ada");
    assert_eq!(remote.phones().unwrap(), [NUMBER], "a stranger is on no list");
    assert_eq!(remote.waiting(NUMBER, companion).unwrap().stanzas, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_writings_are_refused_in_words() {
    let (_sandbox, remote) = sandbox().await;
    remote.add_phone(NUMBER).unwrap();
    let said = |writing: &Writing| remote.send(NUMBER, writing).unwrap_err().to_string();
    assert_eq!(said(&Writing::text("15550002222", "hello?")), "no such phone; add it first");
    assert_eq!(said(&Writing::text("1@g.us", "all")), "no such group");
    let on_none = Writing { device: 7, ..Writing::text(NUMBER, "note") };
    assert_eq!(said(&on_none), "the phone has no such device");
    let of_nothing = Writing::new("99900000001", Content::Revoke("3EB0".to_owned()));
    assert_eq!(said(&of_nothing), "there is no such message in this chat");
    let crew = SharedGroup { subject: "Crew".to_owned(), members: vec![], naming: Naming::Lid };
    assert_eq!(remote.set_shared_group("crew", &crew).unwrap_err().to_string(), r#""crew" is no group jid"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_fault_and_an_unknown_route_are_errors_in_json() {
    let (sandbox, _remote) = sandbox().await;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut unknown = agent
        .post(format!("{}/faults", sandbox.admin_url()))
        .content_type("application/json")
        .send(r#"{"kind":"flood"}"#)
        .unwrap();
    let body: serde_json::Value = unknown.body_mut().read_json().unwrap();
    assert_eq!(unknown.status(), 400);
    assert!(body["error"].as_str().unwrap().contains("unknown variant `flood`"), "{body}");
    let mut missing = agent.get(format!("{}/nowhere", sandbox.admin_url())).call().unwrap();
    let body: serde_json::Value = missing.body_mut().read_json().unwrap();
    assert_eq!((missing.status().as_u16(), &body["error"]), (404, &serde_json::json!("no such route")));
}

#[tokio::test(flavor = "multi_thread")]
async fn armed_faults_are_listed_until_cleared() {
    let (_sandbox, remote) = sandbox().await;
    let armed = [
        Fault::Pause { at: PausePoint::BeforeRestart, number: Some(NUMBER.to_owned()) },
        Fault::RefuseConnections { times: Some(3) },
    ];
    for fault in &armed {
        remote.fault(fault).unwrap();
    }
    assert_eq!(remote.faults().unwrap(), armed);
    remote.clear_faults().unwrap();
    assert_eq!(remote.faults().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_and_the_groups_can_be_changed() {
    let (_sandbox, remote) = sandbox().await;
    let slow = Pace { before_restart_ms: 700, ..Pace::default() };
    remote.set_pace(&slow).unwrap();
    assert_eq!(remote.pace().unwrap(), slow);
    remote.add_phone(NUMBER).unwrap();
    let mut group = Group {
        jid: "120300000000000001@g.us".to_owned(),
        subject: "Crew".to_owned(),
        participants: 2,
        is_admin: false,
        by_lid: false,
    };
    remote.set_groups(NUMBER, std::slice::from_ref(&group)).unwrap();
    group.jid = "crew".to_owned();
    let refused = remote.set_groups(NUMBER, &[group]).unwrap_err();
    assert_eq!(refused.to_string(), r#""crew" is no group jid"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sandbox_frees_its_ports() {
    let (sandbox, remote) = sandbox().await;
    let listen = sandbox.whatsapp_url()["ws://".len()..].trim_end_matches("/ws/chat").parse().unwrap();
    let admin = sandbox.admin_url()["http://".len()..].parse().unwrap();
    sandbox.stop().await;
    assert!(remote.report().is_err());
    Sandbox::start(Settings { listen, admin, pace: Pace::default() }).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_do_not_reach_the_phones() {
    let (sandbox, remote) = sandbox().await;
    let address = sandbox.admin_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let asks = |headers: &'static str| {
        let address = address.clone();
        async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
            let body = format!("{{\"number\":\"{NUMBER}\"}}");
            let head = format!("POST /phones HTTP/1.1\r\n{headers}\r\nContent-Type: application/json\r\n");
            let rest = format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            socket.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().to_owned()
        }
    };
    for foreign in [
        "Host: 127.0.0.1\r\nOrigin: https://evil.example",
        "Host: localhost\r\nOrigin: http://localhost:3000",
        "Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site",
        "Host: evil.example",
    ] {
        assert_eq!(asks(foreign).await, "403", "{foreign}");
    }
    assert_eq!(remote.phones().unwrap(), Vec::<String>::new());
    for own in ["Host: 127.0.0.1", "Host: [::1]:9", "Host: localhost:9\r\nSec-Fetch-Site: none"] {
        assert!(asks(own).await.starts_with('2'), "{own}");
    }
}
