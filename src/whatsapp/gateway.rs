//! Makes the daemon's connections to WhatsApp, and holds what all of them share.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::{
    connection::ConnectionPolicy,
    domain::{CloseReason, OpenSession, Purpose, StoreError},
    outgoing::OutgoingPolicy,
    ports::{Gateway, Session, SessionListener},
};
use tokio::runtime::Handle;
use wacore::store::{CacheStore, commands::DeviceCommand, device::DevicePropsOverride, traits::Backend};
use waproto::whatsapp::device_props::PlatformType;
use whatsapp_rust::{
    CacheConfig, CacheEntryConfig, CacheStores, Client, anyhow,
    http::{HttpClient, HttpRequest, HttpResponse},
    store::persistence_manager::PersistenceManager,
};

use super::{
    connection::{
        Bells, ChatStore, Chats, Courier, Driver, GatedDialer, Inbox, Mail, MessageLink, MessageStore, NumberChecker,
        OddListener, OddStanzas, OutgoingStore, PostOffice, PresenceKeeper, Shell, WhatsAppSession,
        history::{Histories, HistoryTurns},
    },
    dialer::{Dialer, ProxyListener, Route},
    keys::{KeySource, LinkKeys, store_error},
    library_store::SENT_KEPT_FOR,
    proxy::{Proxy, ProxyAllow, web},
    rate_limiter::{Priority, RateLimiter},
    runtime::SessionRuntime,
    version::{VersionStore, Versions, WebVersion},
};
use crate::proxy_address::ProxyAddress;

/// The version sent to the sandbox, which accepts any.
const SANDBOX_VERSION: WebVersion = (2, 3000, 1_026_131_876);
/// The library makes and stores 812 by default; each is a row, and they are for
/// strangers who write first.
const PRE_KEYS: usize = 30;
/// Chats whose messages are read in parallel. Each that was in use costs 13 KiB until it makes way
/// for another, and the library keeps 5,000 by default.
const CHAT_LANES: u64 = 32;
/// People of whom the library keeps, by default without a limit, how WhatsApp may name them and
/// that their LIDs are stored, and, of 5,000, their devices and, of 10,000 devices, a lock each. A
/// message to a group looks at all of its members, of whom there are 1,024 at most: with less room
/// it would read each of them from the database. What does not fit is read again.
const PEOPLE: u64 = 2_048;
/// Groups of which the library keeps the members and, of each member's devices, whether they have
/// our keys, for an hour; 250 and 500 by default. That of a large group takes 150 KiB. What does
/// not fit is read again.
const GROUPS: u64 = 64;
const KEPT_FOR: Option<Duration> = Some(Duration::from_secs(3600));
/// A change of the device is written when it happens; this is for those that were missed.
const SAVER_INTERVAL: Duration = Duration::from_secs(30);
/// How [`WhatsApp`] is set up.
pub struct GatewaySettings {
    /// The sandbox to connect to instead of WhatsApp. It accepts any client version.
    pub url: Option<String>,
    /// The runtime of the connections; multi-threaded.
    pub runtime: Handle,
    /// The source of the keys.
    pub credentials: Arc<dyn KeySource>,
    /// The name under "Linked devices" on a phone.
    pub device_name: String,
    /// Connections a second, after a burst; 0: no limit.
    pub connect_rate: u32,
    /// The addresses that accounts' proxies may have.
    pub proxy_allow: ProxyAllow,
    /// Stores the last client version that WhatsApp accepted.
    pub versions: Arc<dyn VersionStore>,
    /// Called for each odd stanza.
    pub odd: OddListener,
    /// Called for each try to connect through a proxy.
    pub proxied: ProxyListener,
    /// Where messages are written.
    pub messages: Arc<dyn MessageStore>,
    /// Where messages to send are taken from.
    pub outgoing: Arc<dyn OutgoingStore>,
    /// Where it is known what came in with a chat.
    pub chats: Arc<dyn ChatStore>,
    /// Ring when there are some.
    pub bells: Arc<dyn Bells>,
    /// How messages are sent.
    pub sending: OutgoingPolicy,
}

/// One per daemon, cheap to clone: shares its HTTP and TLS setup and its version lookup among all connections.
#[derive(Clone)]
pub struct WhatsApp {
    workers: Handle,
    credentials: Arc<dyn KeySource>,
    device_name: Arc<str>,
    http: Arc<dyn HttpClient>,
    dialer: Arc<Dialer>,
    versions: Arc<Versions>,
    policy: ConnectionPolicy,
    limiter: Arc<RateLimiter>,
    proxy_allow: Arc<ProxyAllow>,
    odd: Arc<OddStanzas>,
    messages: Arc<dyn MessageStore>,
    /// For reading what phones send new devices of their past.
    history_turns: Arc<HistoryTurns>,
    post_office: PostOffice,
    chats: Arc<dyn ChatStore>,
}

impl WhatsApp {
    pub fn new(settings: GatewaySettings) -> Self {
        let http: Arc<dyn HttpClient> = Arc::new(web::direct());
        let versions = match &settings.url {
            Some(_) => Versions::fixed(SANDBOX_VERSION, settings.versions),
            None => Versions::web(settings.runtime.clone(), settings.versions),
        };
        Self {
            dialer: Arc::new(Dialer::to(settings.url.as_deref(), settings.proxied)),
            versions: Arc::new(versions),
            workers: settings.runtime,
            credentials: settings.credentials,
            device_name: settings.device_name.into(),
            http,
            policy: ConnectionPolicy::default(),
            limiter: Arc::new(RateLimiter::new(settings.connect_rate)),
            proxy_allow: Arc::new(settings.proxy_allow),
            odd: Arc::new(OddStanzas::new(settings.odd)),
            messages: settings.messages,
            history_turns: Arc::default(),
            post_office: PostOffice { store: settings.outgoing, bells: settings.bells, policy: settings.sending },
            chats: settings.chats,
        }
    }

    /// The same gateway, with connections that keep to another policy.
    #[cfg(all(test, feature = "sandbox"))]
    pub(super) fn with_policy(self, policy: ConnectionPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The same gateway, which sends what is there.
    #[cfg(all(test, feature = "sandbox"))]
    pub(super) fn with_post(self, store: Arc<dyn OutgoingStore>, policy: OutgoingPolicy) -> Self {
        Self { post_office: PostOffice { store, policy, ..self.post_office.clone() }, ..self }
    }

    /// The same gateway, which looks the client version up on the web.
    #[cfg(all(test, feature = "sandbox"))]
    pub(super) fn with_lookup(self, kept: Arc<dyn VersionStore>) -> Self {
        Self { versions: Arc::new(Versions::web(self.workers.clone(), kept)), ..self }
    }

    /// Opens a connection; the concrete type is for this module's tests.
    pub(super) async fn open_session(
        &self,
        order: OpenSession,
        listener: SessionListener,
    ) -> Result<Arc<WhatsAppSession>, StoreError> {
        let keys = self.keys_for(&order).await?;
        let kept = Arc::new(self.load(&order, keys.clone().backend()).await?);
        let (route, http) = self.route_of(&order).await?;
        let route = Arc::new(route);
        let runtime = SessionRuntime::new(self.workers.clone());
        let priority = match order.purpose {
            Purpose::Pair { .. } => Priority::Pair(order.account),
            Purpose::Login | Purpose::Unlink => Priority::Login,
        };
        let asker = order.operator;
        let (shell, orders) =
            Shell::begin(order.purpose.clone(), self.policy.clone(), order.incarnation, listener, runtime.clone());
        let presence = Arc::new(PresenceKeeper::new(order.settings.presence));
        let histories = Arc::new(Histories::new(keys.clone(), self.history_turns.clone()));
        let mail = self.mail_for(&order, &keys, &shell, &histories);
        let mut builder = Client::builder()
            .with_runtime(runtime)
            .with_persistence_manager(kept)
            .with_transport_factory(GatedDialer::new(
                self.dialer.clone(),
                route.clone(),
                shell.clone(),
                keys.clone(),
                presence.clone(),
                mail.clone(),
            ))
            .with_http_client_arc(http.clone())
            .with_cache_config(bounded(keys.clone().lids()))
            // A connection that unlinks has no use for a history.
            .with_skip_history_sync(mail.is_none())
            .with_wanted_pre_key_count(PRE_KEYS)
            .with_background_saver_interval(SAVER_INTERVAL);
        if let Some(mail) = &mail {
            builder = builder.with_inbound_durability_hook_arc(mail.inbox.clone());
        }
        let (client, tasks) = builder
            .build()
            .await
            .map_err(|failure| StoreError::Unavailable(format!("connection not set up: {failure}")))?
            .into_parts();
        shell.attach(&client);
        histories.start(&shell, tasks);
        let (versions, limiter, odd) = (self.versions.clone(), self.limiter.clone(), self.odd.clone());
        let driver =
            Driver { client, shell, keys, route, http, versions, limiter, priority, asker, presence, odd, mail };
        Ok(Arc::new(WhatsAppSession::start(driver, orders)))
    }

    fn mail_for(
        &self,
        order: &OpenSession,
        keys: &Arc<dyn LinkKeys>,
        shell: &Arc<Shell>,
        histories: &Arc<Histories>,
    ) -> Option<Mail> {
        let OpenSession { account, fence, keyring, .. } = *order;
        match order.purpose {
            Purpose::Pair { .. } | Purpose::Login => {
                let link = MessageLink { account, fence, keyring, epoch: keys.epoch() };
                let (messages, histories) = (self.messages.clone(), histories.clone());
                let inbox = Inbox::new(messages, keys.clone(), link, &order.purpose, shell.clone(), histories);
                let numbers = NumberChecker::new(self.chats.clone(), link);
                let courier = Courier::new(&self.post_office, keys.clone(), numbers.clone(), link, shell.clone());
                let chats = Chats::new(self.chats.clone(), numbers, link);
                Some(Mail { inbox: Arc::new(inbox), courier, chats })
            }
            Purpose::Unlink => None,
        }
    }

    async fn keys_for(&self, order: &OpenSession) -> Result<Arc<dyn LinkKeys>, StoreError> {
        let OpenSession { account, fence, keyring, .. } = *order;
        match &order.purpose {
            Purpose::Pair { .. } => self.credentials.fresh(account, fence, keyring).await,
            Purpose::Login | Purpose::Unlink => self.credentials.open_keyring(account, fence, keyring).await,
        }
    }

    /// Through the proxy that the account has now. One that cannot be used blocks the route.
    async fn route_of(&self, order: &OpenSession) -> Result<(Route, Arc<dyn HttpClient>), StoreError> {
        let blocked = |reason| Ok((Route::Blocked(reason), Arc::new(NoHttp) as Arc<dyn HttpClient>));
        let Some(text) = &order.settings.proxy else { return Ok((Route::Direct, self.http.clone())) };
        let address = match ProxyAddress::parse(text) {
            Ok(address) => address,
            Err(wrong) => return blocked(CloseReason::ProxyInvalid(wrong.to_string())),
        };
        let proxy = match self.credentials.proxy_login(order.account, text).await {
            Ok(login) => Proxy::new(address, login, Arc::clone(&self.proxy_allow)),
            Err(StoreError::Poisoned(why)) => {
                return blocked(CloseReason::ProxyAuth(format!("the login of {address} cannot be read: {why}")));
            }
            Err(failure) => return Err(failure),
        };
        match proxy.http() {
            Ok(http) => Ok((Route::Through(proxy), http)),
            Err(reason) => blocked(reason),
        }
    }

    /// The library makes a new identity where it finds none, which for a link that
    /// exists would destroy it: so it is asked to load only what is there.
    async fn load(&self, order: &OpenSession, backend: Arc<dyn Backend>) -> Result<PersistenceManager, StoreError> {
        let exists = backend.exists().await.map_err(|failure| store_error(&failure))?;
        let must_exist = match order.purpose {
            Purpose::Login | Purpose::Unlink => true,
            Purpose::Pair { .. } => false,
        };
        if must_exist && !exists {
            return Err(StoreError::Poisoned("the keyring holds no device".to_owned()));
        }
        let kept = PersistenceManager::new(backend).await.map_err(|failure| store_error(&failure))?;
        let device = kept.get_device_snapshot();
        if must_exist && (device.pn.is_none() || device.account.is_none()) {
            return Err(StoreError::Poisoned("the keyring's device was never linked".to_owned()));
        }
        // Not stored with the device: set at each start.
        let name = order.settings.device_name.as_deref().unwrap_or(&self.device_name);
        let label = DevicePropsOverride::new().with_os(name).with_platform_type(PlatformType::CHROME);
        kept.process_command(DeviceCommand::SetDeviceProps(label)).await;
        Ok(kept)
    }
}

/// The library's caches: what an account can come to need if it knows many people and groups.
fn bounded(lids: Arc<dyn CacheStore>) -> CacheConfig {
    CacheConfig {
        seed_msg_secrets_from_history: false,
        chat_lanes_capacity: CHAT_LANES,
        session_locks_capacity: PEOPLE,
        lid_pn_cache: CacheEntryConfig::new(None, PEOPLE),
        device_registry_cache: CacheEntryConfig::new(KEPT_FOR, PEOPLE),
        group_cache: CacheEntryConfig::new(KEPT_FOR, GROUPS),
        sender_key_devices_cache: CacheEntryConfig::new(KEPT_FOR, GROUPS),
        sent_message_ttl_secs: SENT_KEPT_FOR.as_secs(),
        cache_stores: CacheStores { lid_pn_cache: Some(lids), ..CacheStores::default() },
        ..CacheConfig::default()
    }
}

/// For a connection that must not be made: fails every request.
struct NoHttp;

#[async_trait]
impl HttpClient for NoHttp {
    async fn execute(&self, _: HttpRequest) -> Result<HttpResponse, anyhow::Error> {
        Err(anyhow::anyhow!("the account's proxy cannot be used, and nothing goes around it"))
    }
}

#[async_trait]
impl Gateway for WhatsApp {
    async fn open(&self, order: OpenSession, listener: SessionListener) -> Result<Arc<dyn Session>, StoreError> {
        // Making keys is work for the workers, not for an actor's thread.
        let gateway = self.clone();
        let opening = self.workers.spawn(async move { gateway.open_session(order, listener).await });
        match opening.await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(StoreError::Unavailable("opening the connection was stopped".to_owned())),
        }
    }
}
