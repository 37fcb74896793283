//! The version of WhatsApp Web that connections claim to be.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use paird_actors::{
    clock,
    connection::{Leave, Outage, OutagePolicy},
    domain::StoreError,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Notify},
};
use whatsapp_rust::{http::HttpClient, version::fetch_latest_app_version};

/// Major, minor, revision; WhatsApp refuses an old one with 405.
pub type WebVersion = (u32, u32, u32);

/// Stores the last version that WhatsApp accepted, for the whole fleet and across restarts.
#[async_trait]
pub trait VersionStore: Send + Sync + 'static {
    async fn last_accepted(&self) -> Result<Option<WebVersion>, StoreError>;

    async fn note_accepted(&self, version: WebVersion) -> Result<(), StoreError>;
}

/// The default of the library.
const BUILT_IN: WebVersion = (2, 3000, 1_042_742_319);

/// As long as the library itself uses a version that it fetched.
const FRESH: Duration = Duration::from_hours(24);
/// How long a failed lookup is shared: a hundred connections that wait for the same dead
/// network must not each try it, one after the other.
const FAILURE_KEPT: Duration = Duration::from_secs(5);
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);

/// The version lookup of the process: one at a time, its answer shared.
pub(super) struct Versions {
    source: Source,
    store: Arc<dyn VersionStore>,
    /// The last version that WhatsApp accepted, as far as this process knows. The lock is held
    /// while it is written.
    accepted: Arc<Mutex<Option<WebVersion>>>,
    /// The last version that WhatsApp refused, so that one alarm and one new lookup follow even
    /// if many connections are refused.
    refused: Mutex<Option<WebVersion>>,
    /// While WhatsApp refuses the client, a few accounts probe on behalf of the others.
    outage: std::sync::Mutex<Outage>,
    /// Notified when it is over.
    over: Notify,
}

enum Source {
    /// The sandbox has no web page to look at, and takes any version.
    Fixed(WebVersion),
    Web {
        workers: Handle,
        known: Mutex<Known>,
    },
}

#[derive(Default)]
struct Known {
    version: Option<(WebVersion, Instant)>,
    failed: Option<(String, Instant)>,
}

impl Versions {
    pub(super) fn fixed(version: WebVersion, store: Arc<dyn VersionStore>) -> Self {
        Self::of(Source::Fixed(version), store)
    }

    fn of(source: Source, store: Arc<dyn VersionStore>) -> Self {
        Self {
            source,
            store,
            accepted: Arc::default(),
            refused: Mutex::default(),
            outage: std::sync::Mutex::new(Outage::new(OutagePolicy::default(), rand::random())),
            over: Notify::new(),
        }
    }

    /// Looks at WhatsApp's web page, when first asked and then once a day.
    pub(super) fn web(workers: Handle, store: Arc<dyn VersionStore>) -> Self {
        Self::of(Source::Web { workers, known: Mutex::default() }, store)
    }

    /// The version to use if the lookup fails: the last one that WhatsApp accepted, or the
    /// built-in one if that is newer, and not the refused one if there is a choice.
    pub(super) async fn last_good(&self) -> WebVersion {
        let accepted = {
            let mut accepted = self.accepted.lock().await;
            if accepted.is_none() {
                match self.store.last_accepted().await {
                    Ok(kept) => *accepted = kept,
                    Err(why) => tracing::warn!(%why, "failed to read the last accepted client version"),
                }
            }
            *accepted
        };
        let refused = *self.refused.lock().await;
        let candidates = || accepted.into_iter().chain([BUILT_IN]);
        candidates().filter(|version| Some(*version) != refused).max().or(candidates().max()).unwrap_or(BUILT_IN)
    }

    /// Looks the version up if needed, through the caller's own `http`. The result is shared.
    ///
    /// # Errors
    /// The lookup failed and no version is known; the reason in words.
    pub(super) async fn current(&self, http: &Arc<dyn HttpClient>, is_direct: bool) -> Result<WebVersion, String> {
        let (workers, known) = match &self.source {
            Source::Fixed(version) => return Ok(*version),
            Source::Web { workers, known } => (workers, known),
        };
        if !is_direct {
            return current_through(http, workers, known).await;
        }
        let mut known = known.lock().await;
        if let Some((version, at)) = known.version
            && at.elapsed() < FRESH
        {
            return Ok(version);
        }
        if let Some((reason, at)) = &known.failed
            && at.elapsed() < FAILURE_KEPT
        {
            return known.version.map(|(version, _)| version).ok_or_else(|| reason.clone());
        }
        match look_up(http.clone(), workers).await {
            Ok(version) => {
                *known = Known { version: Some((version, Instant::now())), failed: None };
                Ok(version)
            }
            Err(reason) => {
                known.failed = Some((reason.clone(), Instant::now()));
                // Yesterday's version links and logs in; none at all does nothing.
                known.version.map(|(version, _)| version).ok_or(reason)
            }
        }
    }

    /// Waits until an account may log in.
    pub(super) async fn leave_to_log_in(&self) -> Leave {
        loop {
            let over = self.over.notified();
            tokio::pin!(over);
            // From here on no ring is missed.
            over.as_mut().enable();
            let leave = self.outage().ask(clock::now());
            let Leave::Wait { until } = leave else { return leave };
            tokio::select! {
                () = over => {}
                () = clock::reached(until) => {}
            }
        }
    }

    /// Whether the permission still holds: an outage may have begun since it was given.
    pub(super) fn still_stands(&self, leave: Leave) -> bool {
        leave == Leave::Canary || self.outage().is_over()
    }

    /// WhatsApp took a login with this version, which is kept; none is refused any more.
    pub(super) fn accepted(&self, version: Option<WebVersion>) {
        if let Some(version) = version {
            let (accepted, store) = (Arc::clone(&self.accepted), Arc::clone(&self.store));
            tokio::spawn(async move { keep(version, &mut *accepted.lock().await, &*store).await });
        }
        let mut outage = self.outage();
        if !outage.is_over() {
            tracing::info!("WhatsApp takes this client again: every account may log in");
            outage.on_accepted();
            self.over.notify_waiters();
        }
    }

    fn outage(&self) -> std::sync::MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// WhatsApp said that this version is outdated, so the next caller looks it up again. A
    /// repeated report of the same version changes nothing.
    pub(super) async fn outdated(&self, version: WebVersion) {
        self.outage().on_refused(clock::now());
        if self.refused.lock().await.replace(version) == Some(version) {
            return;
        }
        let (major, minor, revision) = version;
        tracing::error!(
            version = %format_args!("{major}.{minor}.{revision}"),
            "ALARM: WhatsApp refuses this client version for the whole fleet; looking for a newer one, once"
        );
        match &self.source {
            Source::Fixed(_) => {}
            Source::Web { known, .. } => {
                let mut known = known.lock().await;
                if known.version.is_some_and(|(current, _)| current == version) {
                    *known = Known::default();
                }
            }
        }
    }
}

/// Written only if it has changed. The next login repeats a failed write.
async fn keep(version: WebVersion, accepted: &mut Option<WebVersion>, store: &dyn VersionStore) {
    if accepted.replace(version) == Some(version) {
        return;
    }
    if let Err(why) = store.note_accepted(version).await {
        *accepted = None;
        tracing::warn!(%why, "failed to store the accepted client version");
    }
}

/// A failure of a proxy concerns only its account: it is neither waited for nor shared.
async fn current_through(
    http: &Arc<dyn HttpClient>,
    workers: &Handle,
    known: &Mutex<Known>,
) -> Result<WebVersion, String> {
    let former = known.lock().await.version;
    if let Some((version, at)) = former
        && at.elapsed() < FRESH
    {
        return Ok(version);
    }
    match look_up(http.clone(), workers).await {
        Ok(version) => {
            *known.lock().await = Known { version: Some((version, Instant::now())), failed: None };
            Ok(version)
        }
        Err(reason) => former.map(|(version, _)| version).ok_or(reason),
    }
}

/// Runs in its own task, since the first caller may be closed while others wait.
pub(super) async fn look_up(http: Arc<dyn HttpClient>, workers: &Handle) -> Result<WebVersion, String> {
    let fetch =
        workers.spawn(async move { tokio::time::timeout(LOOKUP_TIMEOUT, fetch_latest_app_version(&http)).await });
    match fetch.await {
        Ok(Ok(Ok(version))) => Ok(version),
        Ok(Ok(Err(failure))) => Err(format!("version lookup: {failure:#}")),
        Ok(Err(_)) => Err(format!("version lookup: no answer within {} s", LOOKUP_TIMEOUT.as_secs())),
        Err(_) => Err("version lookup: stopped".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use whatsapp_rust::http::{HttpRequest, HttpResponse};

    use super::*;

    struct Page {
        asked: AtomicU32,
        body: Option<&'static str>,
    }

    #[async_trait]
    impl HttpClient for Page {
        async fn execute(&self, _: HttpRequest) -> Result<HttpResponse, whatsapp_rust::anyhow::Error> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            match self.body {
                Some(body) => Ok(HttpResponse { status_code: 200, body: body.into() }),
                None => Err(whatsapp_rust::anyhow::anyhow!("no route to host")),
            }
        }
    }

    fn page(body: Option<&'static str>) -> (Arc<Page>, Arc<Versions>) {
        let page = Arc::new(Page { asked: AtomicU32::new(0), body });
        (page, Arc::new(Versions::web(Handle::current(), Arc::new(Kept::default()))))
    }

    /// In memory, as another daemon left it.
    #[derive(Default)]
    struct Kept(std::sync::Mutex<Option<WebVersion>>);

    #[async_trait]
    impl VersionStore for Kept {
        async fn last_accepted(&self) -> Result<Option<WebVersion>, StoreError> {
            Ok(*self.0.lock().unwrap())
        }

        async fn note_accepted(&self, version: WebVersion) -> Result<(), StoreError> {
            *self.0.lock().unwrap() = Some(version);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_built_in_is_no_older_than_the_librarys_own() {
        let device = wacore::store::Device::new();
        let of_library = (device.app_version_primary, device.app_version_secondary, device.app_version_tertiary);
        assert!(BUILT_IN >= of_library, "{of_library:?}");
    }

    #[tokio::test]
    async fn without_a_lookup_the_last_good_version_stands_in() {
        let newer = (2, 3000, BUILT_IN.2 + 5);
        for (kept, refused, wanted) in [
            (None, None, BUILT_IN),
            (Some(newer), None, newer),
            (Some((2, 3000, 7)), None, BUILT_IN),
            (Some(newer), Some(newer), BUILT_IN),
            (Some((2, 3000, 7)), Some(BUILT_IN), (2, 3000, 7)),
            (None, Some(BUILT_IN), BUILT_IN),
        ] {
            let versions = Versions::web(Handle::current(), Arc::new(Kept(std::sync::Mutex::new(kept))));
            if let Some(refused) = refused {
                versions.outdated(refused).await;
            }
            assert_eq!(versions.last_good().await, wanted, "{kept:?}, refused {refused:?}");
        }
    }

    async fn ask(page: &Arc<Page>, versions: &Arc<Versions>, is_direct: bool) -> Result<WebVersion, String> {
        versions.current(&(page.clone() as Arc<dyn HttpClient>), is_direct).await
    }

    async fn ask_together(page: &Arc<Page>, versions: &Arc<Versions>) -> Vec<Result<WebVersion, String>> {
        futures_util::future::join_all((0..50).map(|_| ask(page, versions, true))).await
    }

    #[tokio::test]
    async fn a_failed_lookup_concerns_its_proxy_a_found_version_all() {
        let (dead, versions) = page(None);
        assert!(ask(&dead, &versions, false).await.is_err());
        let (alive, _) = page(Some(r#"client_revision:12345;"#));
        assert_eq!(ask(&alive, &versions, false).await, Ok((2, 3000, 12345)), "the failure before was not kept");
        assert_eq!(ask(&dead, &versions, true).await, Ok((2, 3000, 12345)));
        assert_eq!((dead.asked.load(Ordering::Relaxed), alive.asked.load(Ordering::Relaxed)), (1, 1));
    }

    #[tokio::test]
    async fn fifty_connections_share_one_lookup() {
        let (page, versions) = page(Some(r#"client_revision:12345;"#));
        assert!(ask_together(&page, &versions).await.iter().all(|answer| *answer == Ok((2, 3000, 12345))));
        assert_eq!(page.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn fifty_refusals_of_a_version_cause_one_more_lookup() {
        let (page, versions) = page(Some(r#"client_revision:12345;"#));
        let refused = ask(&page, &versions, true).await.unwrap();
        for _ in 0..50 {
            versions.outdated(refused).await;
            assert_eq!(ask(&page, &versions, true).await, Ok(refused));
        }
        assert_eq!(page.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn fifty_connections_share_one_failure_and_it_says_why() {
        let (page, versions) = page(None);
        for answer in ask_together(&page, &versions).await {
            assert!(answer.unwrap_err().contains("no route to host"));
        }
        assert_eq!(page.asked.load(Ordering::Relaxed), 1);
    }
}
