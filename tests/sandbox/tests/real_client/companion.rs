//! A real client, a sandbox, and the waiting in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use paird_sandbox::{LinkedDevice, Pace, Remote, Report, Sandbox, Settings, Waiting};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wacore::store::InMemoryBackend;
use wacore::store::device::DevicePropsOverride;
use wacore::types::events::{ChannelEventHandler, Event, EventInterest, Subscription};
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::store::persistence_manager::PersistenceManager;
use whatsapp_rust::store::traits::Backend;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::{Client, Jid, SendOptions, TokioRuntime, async_channel};

use crate::gate::{Gate, GatedFactory};

pub const NUMBER: &str = "15550001111";
pub const OTHER_NUMBER: &str = "15550002222";

/// How long anything may take before a test fails.
pub const DEADLINE: Duration = Duration::from_secs(25);

pub struct Stage {
    pub sandbox: Sandbox,
    pub remote: Remote,
}

impl Stage {
    pub async fn set() -> Self {
        Self::set_with(Pace::default()).await
    }

    pub async fn set_with(pace: Pace) -> Self {
        let sandbox = Sandbox::start(Settings { pace, ..Settings::default() }).await.unwrap();
        let remote = Remote::new(&sandbox.admin_url());
        remote.add_phone(NUMBER).unwrap();
        remote.add_phone(OTHER_NUMBER).unwrap();
        Self { sandbox, remote }
    }

    pub fn devices(&self) -> Vec<LinkedDevice> {
        self.remote.devices(NUMBER).unwrap()
    }

    pub fn report(&self) -> Report {
        self.remote.report().unwrap()
    }

    /// A companion that has been linked and is logged in.
    pub async fn linked(&self) -> Companion {
        let companion = Companion::start(self).await;
        let qr = companion.qr().await;
        self.remote.scan(NUMBER, &qr).unwrap();
        companion.until("logged in", |client| client.is_logged_in()).await;
        companion
    }

    /// A companion that others can write to: it has uploaded its keys.
    pub async fn ready(&self) -> Companion {
        let companion = self.linked().await;
        eventually("keys uploaded", || self.waiting().one_time_keys >= 20).await;
        companion
    }

    /// The stanzas that the server keeps for the companion.
    pub fn waiting(&self) -> Waiting {
        let device = self.devices().into_iter().find(|device| device.label == "harbour").unwrap();
        let jid: Jid = device.jid.parse().unwrap();
        self.remote.waiting(NUMBER, jid.device).unwrap()
    }

    /// Everything that the companion was sent has been receipted or acknowledged.
    pub async fn nothing_waits(&self) {
        eventually("all receipted", || self.waiting().stanzas == 0).await;
    }

    /// Fails when the sandbox saw something that it did not understand.
    pub fn assert_nothing_odd(&self) {
        let report = self.report();
        assert_eq!((report.unknown, report.violations), (vec![], vec![]));
    }
}

/// A message as the client reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: String,
    pub chat: String,
    pub sender: String,
    pub from_me: bool,
    pub push_name: String,
    pub text: String,
}

pub struct Companion {
    pub client: Arc<Client>,
    /// Shut it, and nothing more reaches the sandbox.
    pub gate: Gate,
    backend: Arc<dyn Backend>,
    remote: Remote,
    events: async_channel::Receiver<Arc<Event>>,
    running: JoinHandle<()>,
    _subscription: Subscription,
}

impl Companion {
    pub async fn start(stage: &Stage) -> Self {
        Self::restored(stage, Arc::new(InMemoryBackend::new())).await
    }

    /// A new client with the keys of this one, which must have been stopped.
    pub async fn again(self, stage: &Stage) -> Self {
        let backend = Arc::clone(&self.backend);
        drop(self);
        Self::restored(stage, backend).await
    }

    /// A second client with the keys of this one, which goes on.
    pub async fn twin(&self, stage: &Stage) -> Self {
        Self::restored(stage, Arc::clone(&self.backend)).await
    }

    async fn restored(stage: &Stage, backend: Arc<dyn Backend>) -> Self {
        let persistence = Arc::new(PersistenceManager::new(Arc::clone(&backend)).await.unwrap());
        let props = DevicePropsOverride::new().with_os("harbour");
        persistence.process_command(wacore::store::DeviceCommand::SetDeviceProps(props)).await;
        let gate = Gate::default();
        let inner = TokioWebSocketTransportFactory::new().with_url(stage.sandbox.whatsapp_url());
        let transport = GatedFactory { inner, gate: gate.clone() };
        let client = Client::builder()
            .with_runtime(TokioRuntime)
            .with_persistence_manager(persistence)
            .with_transport_factory(transport)
            .with_http_client(whatsapp_rust::http::UreqHttpClient::new())
            .with_version_override((2, 3000, 1))
            .with_skip_history_sync(true)
            .with_wanted_pre_key_count(20)
            .with_background_saver_interval(Duration::from_millis(50))
            .build()
            .await
            .unwrap()
            .into_client();
        let (handler, events) = ChannelEventHandler::new();
        let subscription = client.subscribe(EventInterest::ALL, handler);
        let running = tokio::spawn({
            let client = Arc::clone(&client);
            async move { client.run().await }
        });
        let remote = Remote::new(&stage.sandbox.admin_url());
        Self { client, gate, backend, remote, events, running, _subscription: subscription }
    }

    /// The next event that the pick takes.
    pub async fn event<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let picked = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Some(picked) = pick(&event) {
                    return picked;
                }
            }
        };
        timeout(DEADLINE, picked).await.unwrap_or_else(|_| panic!("no {what} in {DEADLINE:?}"))
    }

    pub async fn qr(&self) -> String {
        let pick =
            |event: &Event| if let Event::PairingQrCode(shown) = event { Some(shown.code.clone()) } else { None };
        self.event("qr", pick).await
    }

    pub async fn until(&self, what: &str, holds: impl Fn(&Client) -> bool) {
        eventually(what, || holds(&self.client)).await;
    }

    /// Waits for the client's own end.
    pub async fn ended(&mut self) {
        timeout(DEADLINE, &mut self.running).await.expect("the client goes on running").unwrap();
    }

    /// Waits for `count` messages of the client. Returns surplus ones, too: what the server kept
    /// for the client was receipted, and the client reports a message before it receipts it.
    pub async fn told(&self, count: usize) -> Vec<Told> {
        let mut told = Vec::new();
        while told.len() < count {
            let had = told.len();
            told.extend(self.event(&format!("message number {}", had + 1), messages).await);
        }
        let own: Jid = self.client.persistence_manager().get_device_snapshot().pn.clone().unwrap();
        let waiting = || self.remote.waiting(&own.user, own.device).unwrap().stanzas;
        eventually("all receipted", || waiting() == 0).await;
        while let Ok(event) = self.events.try_recv() {
            told.extend(messages(&event).unwrap_or_default());
        }
        told
    }

    /// Sends a text under this id; returns what the server's acknowledgement says.
    pub async fn sends(&self, to: &Jid, id: &str, text: &str) -> Option<String> {
        self.sends_unacknowledged(to, id, text).await;
        self.acknowledged(id).await
    }

    pub async fn sends_unacknowledged(&self, to: &Jid, id: &str, text: &str) {
        let options = SendOptions::default().with_message_id(id);
        self.client.send_message_with_options(to.clone(), text_message(text), options).await.unwrap();
    }

    /// The code of the refusal, or that the server has taken the message.
    pub async fn acknowledged(&self, id: &str) -> Option<String> {
        let pick = |event: &Event| {
            let Event::ServerAck(ack) = event else { return None };
            (ack.id == id).then(|| ack.error.clone())
        };
        self.event(&format!("acknowledgement of {id}"), pick).await
    }

    /// Disconnects without unlinking; the keys stay.
    pub async fn stop(&mut self) {
        self.client.disconnect().await;
        self.ended().await;
    }
}

fn messages(event: &Event) -> Option<Vec<Told>> {
    let Event::Messages(batch) = event else { return None };
    let told = batch.messages.iter().map(|message| Told {
        id: message.info.id.clone(),
        chat: message.info.source.chat.to_string(),
        sender: message.info.source.sender.to_string(),
        from_me: message.info.source.is_from_me,
        push_name: message.info.push_name.clone(),
        text: message.message.conversation.clone().unwrap_or_default(),
    });
    // The phone's answers to its companion do not count as messages.
    Some(told.filter(|told| !told.text.is_empty()).collect())
}

/// With a secret, so that it is the same when it is sent again.
pub fn text_message(text: &str) -> wa::Message {
    let context = wa::MessageContextInfo { message_secret: Some(vec![7; 32]), ..Default::default() };
    wa::Message {
        conversation: Some(text.to_owned()),
        message_context_info: MessageField::some(context),
        ..Default::default()
    }
}

/// Waits on a condition with a deadline.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "not {what} in {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
