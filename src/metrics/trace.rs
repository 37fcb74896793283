//! The last step of a command's way: what was asked of store and gateway, and for how long.

use std::{future::Future, time::Instant};

use paird_actors::trace::TARGET;
use tracing::{Instrument as _, debug, debug_span};

/// Who was asked.
#[derive(Clone, Copy)]
pub(super) enum Port {
    Store,
    Gateway,
}

/// Does it in a span of its own, and says how long it took. Neither what was given nor
/// what came back is said: there are keys, codes and numbers in it.
pub(super) async fn traced<T>(port: Port, operation: &'static str, doing: impl Future<Output = T>) -> T {
    let span = match port {
        Port::Store => debug_span!(target: TARGET, "store", operation),
        Port::Gateway => debug_span!(target: TARGET, "gateway", operation),
    };
    let timed = async {
        let started = Instant::now();
        let done = doing.await;
        debug!(target: TARGET, took = ?started.elapsed(), "{operation}");
        done
    };
    timed.instrument(span).await
}
