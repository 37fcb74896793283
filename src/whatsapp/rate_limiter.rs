//! Limits how many connections a second one daemon makes. Boot, takeover and mass
//! reconnects all pass it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use paird_actors::domain::{AccountId, OperatorId};
use tokio::time::Instant;

use super::fair_lock::FairLock;

/// While a login waits, one in this many tokens is reserved for logins, so that accounts
/// reconnect even during many pairings.
const LOGIN_SHARE: f64 = 3.0;
/// The most that the logins' share can save up, in tokens.
const LOGIN_SAVINGS: f64 = 2.0;
/// Between the pairing connections of one account, so that an account that pairs again and
/// again takes no turns from the others.
const PAIR_AGAIN: Duration = Duration::from_secs(1);
/// Accounts that paired lately, before the older ones are looked for.
const MANY_PAIRED: usize = 1024;

/// The purpose of a connection, which decides its priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// A person waits for a QR: ahead of all logins, on credit for one more burst.
    Pair(AccountId),
    /// A login.
    Login,
}

/// The operator of the account; `None` for a ticket.
pub(super) type Asker = Option<OperatorId>;

/// A token bucket with two queues, in each of which operators take turns.
pub(super) struct RateLimiter {
    /// Tokens a second; 0: no limit.
    rate: f64,
    burst: f64,
    bucket: Mutex<Bucket>,
    pairing: FairLock<Asker>,
    logins: FairLock<Asker>,
    login_waits: AtomicBool,
    paired: Mutex<HashMap<AccountId, Instant>>,
}

struct Bucket {
    tokens: f64,
    /// Of these no pairing takes any.
    for_logins: f64,
    at: Instant,
}

impl RateLimiter {
    /// `rate` connections a second after a burst of two and a half times as many; 0 for no limit.
    pub(super) fn new(rate: u32) -> Self {
        let burst = f64::from(rate) * 2.5;
        Self {
            rate: rate.into(),
            burst,
            bucket: Mutex::new(Bucket { tokens: burst, for_logins: 0.0, at: Instant::now() }),
            pairing: FairLock::default(),
            logins: FairLock::default(),
            login_waits: AtomicBool::new(false),
            paired: Mutex::default(),
        }
    }

    /// Waits for this connection's turn. Dropped before that, it uses up nothing.
    pub(super) async fn acquire(&self, priority: Priority, asker: Asker) {
        if self.rate == 0.0 {
            return;
        }
        match priority {
            Priority::Pair(account) => {
                self.not_again_at_once(account).await;
                let _queued = self.pairing.lock(asker).await;
                while let Some(wait) = self.take_for_pairing() {
                    tokio::time::sleep(jittered(wait)).await;
                }
                self.lock_paired().insert(account, Instant::now());
            }
            Priority::Login => {
                let _queued = self.logins.lock(asker).await;
                let _waiting = Flag::raised(&self.login_waits);
                while let Some(wait) = self.take_for_login() {
                    tokio::time::sleep(jittered(wait)).await;
                }
            }
        }
    }

    async fn not_again_at_once(&self, account: AccountId) {
        loop {
            let at = {
                let mut paired = self.lock_paired();
                if paired.len() > MANY_PAIRED {
                    paired.retain(|_, at| at.elapsed() < PAIR_AGAIN);
                }
                paired.get(&account).map(|at| *at + PAIR_AGAIN)
            };
            match at {
                Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
                Some(_) | None => return,
            }
        }
    }

    fn lock_paired(&self) -> std::sync::MutexGuard<'_, HashMap<AccountId, Instant>> {
        self.paired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a token, or says how long there will be none.
    fn take_for_pairing(&self) -> Option<Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(&mut bucket);
        let missing = 1.0 - self.burst - bucket.tokens;
        if missing <= 0.0 {
            bucket.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64(missing / self.rate))
    }

    fn take_for_login(&self) -> Option<Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(&mut bucket);
        let own = bucket.for_logins.min(1.0);
        // Their own and the common share together: without pairings, the whole rate.
        if own >= 1.0 || bucket.tokens + own >= 1.0 {
            bucket.for_logins -= own;
            bucket.tokens -= 1.0 - own;
            return None;
        }
        let (both, alone) = (1.0 - bucket.tokens - own, (1.0 - own) * LOGIN_SHARE);
        Some(Duration::from_secs_f64(both.min(alone) / self.rate))
    }

    fn fill(&self, bucket: &mut Bucket) {
        let now = Instant::now();
        let grown = now.duration_since(bucket.at).as_secs_f64() * self.rate;
        bucket.at = now;
        let own = if self.login_waits.load(Ordering::Relaxed) { grown / LOGIN_SHARE } else { 0.0 };
        let saved = bucket.for_logins + own;
        bucket.for_logins = saved.min(LOGIN_SAVINGS);
        // Tokens beyond the logins' savings go to the common share.
        bucket.tokens = (bucket.tokens + grown - own + (saved - bucket.for_logins)).min(self.burst);
    }
}

/// Adds jitter, since other daemons saw the same outage end. Never zero: the missing part of a
/// token may take less time than the clock can measure.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random::<f64>() / 4.0).max(Duration::from_millis(1))
}

/// True as long as it lives.
struct Flag<'a>(&'a AtomicBool);

impl<'a> Flag<'a> {
    fn raised(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(flag)
    }
}

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Copy)]
    enum TokenUse {
        /// Of another account each time.
        Pair,
        Login,
    }

    async fn took(limiter: &RateLimiter, kind: TokenUse, turns: u32) -> Duration {
        let started = Instant::now();
        for _ in 0..turns {
            limiter.acquire(priority(kind), None).await;
        }
        started.elapsed()
    }

    fn priority(kind: TokenUse) -> Priority {
        match kind {
            TokenUse::Pair => Priority::Pair(AccountId(uuid::Uuid::new_v4())),
            TokenUse::Login => Priority::Login,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_logins_come_at_the_rate() {
        let limiter = RateLimiter::new(20);
        assert_eq!(took(&limiter, TokenUse::Login, 50).await, Duration::ZERO);
        let took = took(&limiter, TokenUse::Login, 100).await;
        assert!(took >= Duration::from_millis(4990), "{took:?}");
        assert!(took <= Duration::from_millis(6500), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pairing_goes_ahead_of_the_logins_that_wait() {
        let limiter = Arc::new(RateLimiter::new(20));
        took(&limiter, TokenUse::Login, 50).await;
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { took(&limiter, TokenUse::Login, 20).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(took(&limiter, TokenUse::Pair, 20).await, Duration::ZERO);
        assert!(waiting.await.unwrap() >= Duration::from_millis(1990), "what pairing took, the logins wait for");
    }

    #[tokio::test(start_paused = true)]
    async fn pairing_is_paced_too_when_its_credit_is_used_up() {
        let limiter = RateLimiter::new(20);
        let took = took(&limiter, TokenUse::Pair, 140).await;
        assert!(took >= Duration::from_millis(1990), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_of_zero_never_waits() {
        assert_eq!(took(&RateLimiter::new(0), TokenUse::Login, 10_000).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_passes_its_turn_on() {
        let limiter = Arc::new(RateLimiter::new(20));
        took(&limiter, TokenUse::Login, 50).await;
        let first = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire(Priority::Login, None).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert!(took(&limiter, TokenUse::Login, 1).await <= Duration::from_millis(80));
    }

    #[tokio::test(start_paused = true)]
    async fn logins_keep_a_share_while_pairings_flood() {
        let limiter = Arc::new(RateLimiter::new(20));
        for _ in 0..200 {
            tokio::spawn({
                let limiter = limiter.clone();
                async move { took(&limiter, TokenUse::Pair, 1000).await }
            });
        }
        tokio::time::sleep(Duration::from_secs(20)).await;
        let took = took(&limiter, TokenUse::Login, 60).await;
        assert!(took <= Duration::from_secs(13), "sixty accounts came back after {took:?}");
        assert!(took >= Duration::from_secs(5), "a third is theirs, not all of it: {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pairings_and_logins_together_keep_to_the_rate() {
        let limiter = Arc::new(RateLimiter::new(20));
        let turns = Arc::new(std::sync::atomic::AtomicU32::new(0));
        for kind in [TokenUse::Pair, TokenUse::Login] {
            for _ in 0..50 {
                let (limiter, turns) = (limiter.clone(), turns.clone());
                tokio::spawn(async move {
                    loop {
                        limiter.acquire(priority(kind), None).await;
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        let turns = turns.load(Ordering::Relaxed);
        // Burst, credit, and a minute at the rate.
        assert!((1200..=1320).contains(&turns), "{turns}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_that_asks_again_and_again_waits() {
        let limiter = RateLimiter::new(20);
        let account = AccountId(uuid::Uuid::new_v4());
        let started = Instant::now();
        for _ in 0..10 {
            limiter.acquire(Priority::Pair(account), None).await;
        }
        assert!(started.elapsed() >= Duration::from_secs(9), "{:?}", started.elapsed());
        let other = took(&limiter, TokenUse::Pair, 10).await;
        assert_eq!(other, Duration::ZERO, "the others do not wait for it");
    }

    #[tokio::test(start_paused = true)]
    async fn an_operators_many_connections_leave_turns_to_another() {
        for kind in [TokenUse::Pair, TokenUse::Login] {
            let limiter = Arc::new(RateLimiter::new(20));
            took(&limiter, kind, 100).await;
            let operator = |nth| Some(OperatorId(uuid::Uuid::from_u128(nth)));
            let many: Vec<_> = (0..500)
                .map(|_| {
                    let limiter = Arc::clone(&limiter);
                    tokio::spawn(async move { limiter.acquire(priority(kind), operator(1)).await })
                })
                .collect();
            tokio::time::sleep(Duration::from_secs(1)).await;
            let asked = Instant::now();
            limiter.acquire(priority(kind), operator(2)).await;
            assert!(asked.elapsed() <= Duration::from_millis(200), "one waited {:?}", asked.elapsed());
            assert!(!many.iter().all(tokio::task::JoinHandle::is_finished), "the many wait on");
        }
    }
}
