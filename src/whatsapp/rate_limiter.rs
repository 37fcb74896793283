//! Limits how many connections a second one daemon makes. Boot, takeover and mass
//! reconnects all pass it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// A person waits for a QR: ahead of all logins, on credit for one more burst.
    Pair,
    /// A login: in the order of asking.
    Login,
}

/// A token bucket with two queues.
pub(super) struct RateLimiter {
    /// Tokens a second; 0: no limit.
    rate: f64,
    burst: f64,
    bucket: Mutex<Bucket>,
    pairing: tokio::sync::Mutex<()>,
    logins: tokio::sync::Mutex<()>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimiter {
    /// `rate` connections a second after a burst of two and a half times as many; 0 for no limit.
    pub(super) fn new(rate: u32) -> Self {
        let burst = f64::from(rate) * 2.5;
        Self {
            rate: rate.into(),
            burst,
            bucket: Mutex::new(Bucket { tokens: burst, at: Instant::now() }),
            pairing: tokio::sync::Mutex::default(),
            logins: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for this connection's turn. Dropped before that, it uses up nothing.
    pub(super) async fn acquire(&self, priority: Priority) {
        if self.rate == 0.0 {
            return;
        }
        let (queue, floor) = match priority {
            Priority::Pair => (&self.pairing, -self.burst),
            Priority::Login => (&self.logins, 0.0),
        };
        // First come, first served.
        let _queued = queue.lock().await;
        while let Some(wait) = self.take(floor) {
            // Jitter: other daemons saw the same outage end.
            tokio::time::sleep(wait.mul_f64(1.0 + rand::random::<f64>() / 4.0)).await;
        }
    }

    /// Takes a token, or says how long there will be none.
    fn take(&self, floor: f64) -> Option<Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let grown = bucket.tokens + now.duration_since(bucket.at).as_secs_f64() * self.rate;
        *bucket = Bucket { tokens: grown.min(self.burst), at: now };
        let missing = floor + 1.0 - bucket.tokens;
        if missing <= 0.0 {
            bucket.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64(missing / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn took(limiter: &RateLimiter, priority: Priority, turns: u32) -> Duration {
        let started = Instant::now();
        for _ in 0..turns {
            limiter.acquire(priority).await;
        }
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_logins_come_at_the_rate() {
        let limiter = RateLimiter::new(20);
        assert_eq!(took(&limiter, Priority::Login, 50).await, Duration::ZERO);
        let took = took(&limiter, Priority::Login, 100).await;
        assert!(took >= Duration::from_millis(4990), "{took:?}");
        assert!(took <= Duration::from_millis(6500), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pairing_goes_ahead_of_the_logins_that_wait() {
        let limiter = Arc::new(RateLimiter::new(20));
        took(&limiter, Priority::Login, 50).await;
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { took(&limiter, Priority::Login, 20).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(took(&limiter, Priority::Pair, 20).await, Duration::ZERO);
        assert!(waiting.await.unwrap() >= Duration::from_millis(1990), "what pairing took, the logins wait for");
    }

    #[tokio::test(start_paused = true)]
    async fn pairing_is_paced_too_when_its_credit_is_used_up() {
        let limiter = RateLimiter::new(20);
        let took = took(&limiter, Priority::Pair, 140).await;
        assert!(took >= Duration::from_millis(1990), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        assert_eq!(took(&RateLimiter::new(0), Priority::Login, 10_000).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_leaves_its_turn_to_the_next() {
        let limiter = Arc::new(RateLimiter::new(20));
        took(&limiter, Priority::Login, 50).await;
        let first = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire(Priority::Login).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert!(took(&limiter, Priority::Login, 1).await <= Duration::from_millis(80));
    }
}
