//! The tasks of one connection, on the daemon's worker threads.

use std::{future::Future, pin::Pin, time::Duration};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use whatsapp_rust::wacore::runtime::{AbortHandle, Runtime};

/// The library replaces a connection whose first app state has not come within this time
/// (`CRITICAL_SYNC_TIMEOUT_SECS` in `whatsapp-rust`). paird needs none of
/// it, so a connection that is healthy otherwise stays. The library waits for nothing else for
/// exactly so long; what bounds its queries is shorter.
const FIRST_SYNC_WATCHDOG: Duration = Duration::from_secs(180);

type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Runs one connection's tasks, and can end all of them.
///
/// The library's own runtime spawns on the calling thread's runtime, which in an actor is
/// the actor's single thread; this one uses the multi-threaded runtime. And the library
/// leaves tasks behind that hold the connection's memory, the QR rotation for up
/// to 160 s after a disconnect: [`Self::end`] leaves none.
#[derive(Clone)]
pub(super) struct SessionRuntime {
    workers: Handle,
    ended: CancellationToken,
    tasks: TaskTracker,
}

impl SessionRuntime {
    pub(super) fn new(workers: Handle) -> Self {
        Self { workers, ended: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Runs a future on the workers, outside this connection's tasks, and waits for it.
    /// `None` if it panicked.
    pub(super) async fn on_workers<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.workers.spawn(work).await.ok()
    }

    /// Starts a task that ends with the connection.
    pub(super) fn start(&self, task: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
        let ended = self.ended.clone();
        let task = async move {
            ended.run_until_cancelled(task).await;
        };
        self.tasks.spawn_on(task, &self.workers)
    }

    /// Starts the task that outlives the others to take them down.
    pub(super) fn start_untracked(&self, task: impl Future<Output = ()> + Send + 'static) -> tokio::task::AbortHandle {
        self.workers.spawn(task).abort_handle()
    }

    /// Drops every task at its next await, and every one that is spawned later.
    pub(super) fn cut(&self) {
        self.tasks.close();
        self.ended.cancel();
    }

    /// Like [`Self::cut`], and waits until they are gone, at most `timeout`.
    /// Says whether they are.
    pub(super) async fn end(&self, timeout: Duration) -> bool {
        self.cut();
        tokio::time::timeout(timeout, self.tasks.wait()).await.is_ok()
    }
}

#[async_trait]
impl Runtime for SessionRuntime {
    fn spawn(&self, future: Task) -> AbortHandle {
        let task = self.start(future);
        AbortHandle::new(move || task.abort())
    }

    fn spawn_detached(&self, future: Task) {
        drop(self.start(future));
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if duration == FIRST_SYNC_WATCHDOG {
            return Box::pin(std::future::pending());
        }
        // A timer belongs to the runtime that is current when it is made.
        let _workers = self.workers.enter();
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn_blocking(&self, f: Box<dyn FnOnce() + Send + 'static>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let work = self.workers.spawn_blocking(f);
        Box::pin(async move {
            // A panic in there is reported by the runtime; the library has no use for it.
            let _ = work.await;
        })
    }

    fn yield_now(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ending_leaves_no_task_even_one_that_never_would_end() {
        let runtime = SessionRuntime::new(Handle::current());
        let held = std::sync::Arc::new(());
        let kept = held.clone();
        runtime.spawn_detached(Box::pin(async move {
            std::future::pending::<()>().await;
            drop(kept);
        }));
        assert!(runtime.end(Duration::from_secs(5)).await);
        let late = held.clone();
        runtime.spawn_detached(Box::pin(async move {
            std::future::pending::<()>().await;
            drop(late);
        }));
        assert!(runtime.end(Duration::from_secs(5)).await);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }
}
