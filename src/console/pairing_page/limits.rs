//! How much one visitor, and everybody with one link, may ask for.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::TokenHash;

/// Visitors that are told apart at a time; all others share one allowance.
const MOST_KEYS: usize = 10_000;

/// So many at once, and then one in each `per`.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    per: Duration,
}

/// A page is a dozen files, and asks once a second; several visitors may have one address.
const REQUESTS: Rate = Rate { burst: 150, per: Duration::from_millis(50) };
/// Links that do not exist.
const MISSES: Rate = Rate { burst: 20, per: Duration::from_secs(3) };
/// A link may be open on some screens at once.
const LOOKS: Rate = Rate { burst: 40, per: Duration::from_millis(200) };
/// WhatsApp bans for too many.
const ATTEMPTS: Rate = Rate { burst: 5, per: Duration::from_mins(1) };

/// The counts of one listener, in memory: a token is not to be guessed at any rate, so they only keep the
/// database and WhatsApp from being asked too much.
pub(super) struct Limits {
    requests: Allowances<IpAddr>,
    misses: Allowances<IpAddr>,
    looks: Allowances<TokenHash>,
    attempts: Allowances<TokenHash>,
}

/// An error is how long to wait.
impl Limits {
    pub(super) fn new() -> Self {
        Self {
            requests: Allowances::of(REQUESTS),
            misses: Allowances::of(MISSES),
            looks: Allowances::of(LOOKS),
            attempts: Allowances::of(ATTEMPTS),
        }
    }

    pub(super) fn request(&self, from: IpAddr) -> Result<(), Duration> {
        self.requests.take(network_of(from), Instant::now())
    }

    /// Whether the visitor may still present a link.
    pub(super) fn may_guess(&self, from: IpAddr) -> Result<(), Duration> {
        self.misses.check(network_of(from), Instant::now())
    }

    pub(super) fn missed(&self, from: IpAddr) {
        let _ = self.misses.take(network_of(from), Instant::now());
    }

    pub(super) fn look(&self, link: TokenHash) -> Result<(), Duration> {
        self.looks.take(link, Instant::now())
    }

    pub(super) fn attempt(&self, link: TokenHash) -> Result<(), Duration> {
        self.attempts.take(link, Instant::now())
    }
}

/// A visitor has a whole network of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

struct Allowances<K> {
    rate: Rate,
    /// When everything that was taken is made up for. `None` is whoever is not told apart.
    restored: Mutex<HashMap<Option<K>, Instant>>,
}

impl<K: Eq + Hash + Copy> Allowances<K> {
    fn of(rate: Rate) -> Self {
        Self { rate, restored: Mutex::default() }
    }

    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Some(key);
        if restored.len() >= MOST_KEYS && !restored.contains_key(&key) {
            restored.retain(|_, at| *at > now);
            if restored.len() >= MOST_KEYS {
                key = None;
            }
        }
        let at = restored.entry(key).or_insert(now);
        let taken = (*at).max(now);
        self.room(taken, now)?;
        *at = taken + self.rate.per;
        Ok(())
    }

    fn check(&self, key: K, now: Instant) -> Result<(), Duration> {
        let restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        let at = restored.get(&Some(key)).copied().unwrap_or(now);
        self.room(at.max(now), now)
    }

    fn room(&self, taken: Instant, now: Instant) -> Result<(), Duration> {
        let wait = (taken - now).saturating_sub(self.rate.per * (self.rate.burst - 1));
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let second = Duration::from_secs(1);
        let allowances = Allowances::of(Rate { burst: 3, per: second });
        let begun = Instant::now();
        for _ in 0..3 {
            assert_eq!(allowances.take(1, begun), Ok(()));
        }
        assert_eq!(allowances.take(1, begun), Err(second));
        assert_eq!(allowances.check(1, begun), Err(second));
        assert_eq!(allowances.take(2, begun), Ok(()), "another's");
        assert_eq!(allowances.take(1, begun + second), Ok(()));
        assert_eq!(allowances.take(1, begun + second), Err(second));
        for _ in 0..3 {
            assert_eq!(allowances.take(1, begun + second * 9), Ok(()), "a rest is not saved up beyond the burst");
        }
        assert!(allowances.take(1, begun + second * 9).is_err());
    }

    #[test]
    fn more_visitors_than_there_is_room_for_share_one_allowance() {
        let allowances = Allowances::of(Rate { burst: 2, per: Duration::from_secs(1) });
        let now = Instant::now();
        for visitor in 0..MOST_KEYS {
            assert_eq!(allowances.take(visitor, now), Ok(()));
        }
        let more: Vec<bool> = (0..4).map(|nth| allowances.take(MOST_KEYS + nth, now).is_ok()).collect();
        assert_eq!(more, [true, true, false, false]);
        assert_eq!(allowances.take(0, now), Ok(()), "whoever is known already");
        assert_eq!(allowances.take(MOST_KEYS, now + Duration::from_secs(9)), Ok(()));
        assert!(allowances.restored.lock().unwrap().len() < MOST_KEYS, "those who left are forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_visitor() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::7"), network("2001:db8:1:3::7"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.8"), network("192.0.2.7"));
    }
}
