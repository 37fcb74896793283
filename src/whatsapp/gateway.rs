//! The daemon's way to WhatsApp: what all of its connections share, and how one is made.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::{
    domain::{CloseReason, Phone},
    ports::{Gateway, OpenSession, Purpose, Session, SessionListener, StoreError},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wacore::store::{commands::DeviceCommand, device::DevicePropsOverride, traits::Backend};
use waproto::whatsapp::device_props::PlatformType;
use whatsapp_rust::{
    CacheConfig, Client, anyhow,
    http::{HttpClient, HttpRequest, HttpResponse, UreqHttpClient},
    store::persistence_manager::PersistenceManager,
};

use super::{
    admission::{Gate, HOLD},
    close::Signs,
    ear::Ear,
    keys::{KeySource, LinkKeys, store_error},
    life::{Life, Probe},
    pace::{Budget, Errand},
    proxy::Proxy,
    runtime::SessionRuntime,
    session::WhatsAppSession,
    transport::{Dial, GatedDial, Way},
    version::{Versions, WebVersion},
    voice::Voice,
};
use crate::proxy_address::ProxyAddress;

/// What the sandbox is told; it takes any version.
const SANDBOX_VERSION: WebVersion = (2, 3000, 1_026_131_876);
/// The library makes and stores 812 by default; each is a row, and they are for
/// strangers who write first.
const PRE_KEYS: usize = 30;
/// A change of the device is written when it happens; this is for those that were missed.
const SAVER_INTERVAL: Duration = Duration::from_secs(30);

/// How [`WhatsApp`] is set up.
pub struct Settings {
    /// Where to connect instead of WhatsApp: the sandbox. It takes any client version.
    pub url: Option<String>,
    /// Where connections run: a multi-thread runtime.
    pub runtime: Handle,
    /// Where keys are.
    pub vault: Arc<dyn KeySource>,
    /// What a phone shows under "Linked devices".
    pub device_name: String,
    /// Connections a second, after a burst; 0: no limit.
    pub connect_rate: u32,
}

/// One per daemon, cheap to clone: shares its HTTP and TLS setup and its version lookup among all connections.
#[derive(Clone)]
pub struct WhatsApp {
    workers: Handle,
    vault: Arc<dyn KeySource>,
    device_name: Arc<str>,
    http: Arc<dyn HttpClient>,
    dial: Arc<Dial>,
    versions: Arc<Versions>,
    probe: Probe,
    budget: Arc<Budget>,
}

impl WhatsApp {
    pub fn new(settings: Settings) -> Self {
        let http: Arc<dyn HttpClient> = Arc::new(UreqHttpClient::new());
        let versions = match &settings.url {
            Some(_) => Versions::fixed(SANDBOX_VERSION),
            None => Versions::web(settings.runtime.clone()),
        };
        Self {
            dial: Arc::new(Dial::to(settings.url.as_deref())),
            versions: Arc::new(versions),
            workers: settings.runtime,
            vault: settings.vault,
            device_name: settings.device_name.into(),
            http,
            probe: Probe::default(),
            budget: Arc::new(Budget::new(settings.connect_rate)),
        }
    }

    /// The same gateway with a different proof of life.
    #[cfg(all(test, feature = "sandbox"))]
    pub(super) fn probing(self, probe: Probe) -> Self {
        Self { probe, ..self }
    }

    /// Opens a connection; the concrete type is for this module's tests.
    pub(super) async fn open_session(
        &self,
        order: OpenSession,
        listener: SessionListener,
    ) -> Result<Arc<WhatsAppSession>, StoreError> {
        let (keys, code_for) = self.keys_for(&order).await?;
        let kept = Arc::new(self.load(&order, keys.clone().backend()).await?);
        let (way, http) = self.way_of(&order).await?;
        let way = Arc::new(way);
        let runtime = SessionRuntime::new(self.workers.clone());
        let (gate, signs) = (Arc::new(Gate::new(HOLD)), Arc::new(Signs::new()));
        let client = Client::builder()
            .with_runtime(runtime.clone())
            .with_persistence_manager(kept)
            .with_transport_factory(GatedDial::new(
                self.dial.clone(),
                way.clone(),
                gate.clone(),
                keys.clone(),
                signs.clone(),
            ))
            .with_http_client_arc(http.clone())
            .with_cache_config(CacheConfig { seed_msg_secrets_from_history: false, ..CacheConfig::default() })
            .with_skip_history_sync(true)
            .with_wanted_pre_key_count(PRE_KEYS)
            .with_background_saver_interval(SAVER_INTERVAL)
            .build()
            .await
            .map_err(|failure| StoreError::Unavailable(format!("connection not set up: {failure}")))?
            .into_client();
        let voice = Arc::new(Voice::new(order.incarnation, listener));
        let ear = Ear::new(&client, voice.clone(), gate.clone(), signs.clone(), runtime.clone(), code_for);
        let life = Life {
            client,
            ear,
            voice,
            gate,
            signs,
            keys,
            way,
            http,
            versions: self.versions.clone(),
            runtime,
            probe: self.probe,
            budget: self.budget.clone(),
            errand: match order.purpose {
                Purpose::Pair { .. } => Errand::Pair,
                Purpose::Login => Errand::Login,
            },
            stop: CancellationToken::new(),
        };
        Ok(Arc::new(WhatsAppSession::start(life)))
    }

    async fn keys_for(&self, order: &OpenSession) -> Result<(Arc<dyn LinkKeys>, Option<Phone>), StoreError> {
        let OpenSession { account, fence, keyring, .. } = *order;
        match &order.purpose {
            Purpose::Pair { code_for } => Ok((self.vault.fresh(account, fence, keyring).await?, code_for.clone())),
            Purpose::Login => Ok((self.vault.open_keyring(account, fence, keyring).await?, None)),
        }
    }

    /// The proxy that the account has now. One that cannot be used bars the way.
    async fn way_of(&self, order: &OpenSession) -> Result<(Way, Arc<dyn HttpClient>), StoreError> {
        let barred = |reason| Ok((Way::Barred(reason), Arc::new(NoHttp) as Arc<dyn HttpClient>));
        let Some(text) = &order.settings.proxy else { return Ok((Way::Direct, self.http.clone())) };
        let address = match ProxyAddress::parse(text) {
            Ok(address) => address,
            Err(wrong) => return barred(CloseReason::ProxyInvalid(wrong.to_string())),
        };
        let proxy = match self.vault.proxy_login(order.account, text).await {
            Ok(login) => Proxy::new(address, login),
            Err(StoreError::Poisoned(why)) => {
                return barred(CloseReason::ProxyAuth(format!("the login of {address} cannot be read: {why}")));
            }
            Err(failure) => return Err(failure),
        };
        match proxy.http() {
            Ok(http) => Ok((Way::Through(proxy), http)),
            Err(reason) => barred(reason),
        }
    }

    /// The library makes a new identity where it finds none, which for a link that
    /// exists would destroy it: so it is asked to load only what is there.
    async fn load(&self, order: &OpenSession, backend: Arc<dyn Backend>) -> Result<PersistenceManager, StoreError> {
        let exists = backend.exists().await.map_err(|failure| store_error(&failure))?;
        let must_exist = match order.purpose {
            Purpose::Login => true,
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

/// What a connection that must not be made is given.
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
