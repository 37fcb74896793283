//! Spans for the calls to store and gateway that a command leads to.

use std::{future::Future, time::Instant};

use paird_actors::trace::TARGET;
use tracing::{Instrument as _, debug, debug_span};

/// The port that was called.
#[derive(Clone, Copy)]
pub(super) enum Port {
    Store,
    Gateway,
}

/// Runs a call in its own span and records how long it took. Neither arguments nor results
/// are recorded, since they contain keys, codes and numbers.
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
