//! A lock that is granted to groups in turn, so that a hundred waiters of one group do not delay
//! the only one of another.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Fair between groups; first come, first served within each.
pub(super) struct FairLock<G: Copy + Eq + Hash>(Arc<Mutex<Waiting<G>>>);

struct Waiting<G: Copy + Eq + Hash> {
    is_held: bool,
    /// Groups with waiters, the next one first.
    ring: VecDeque<G>,
    queues: HashMap<G, VecDeque<oneshot::Sender<Held<G>>>>,
}

/// Releases the lock when dropped, also if its waiter has been cancelled meanwhile.
pub(super) struct Held<G: Copy + Eq + Hash> {
    lock: Option<Arc<Mutex<Waiting<G>>>>,
}

impl<G: Copy + Eq + Hash> Default for FairLock<G> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Waiting { is_held: false, ring: VecDeque::new(), queues: HashMap::new() })))
    }
}

impl<G: Copy + Eq + Hash> FairLock<G> {
    pub(super) async fn lock(&self, group: G) -> Held<G> {
        let turn = {
            let mut waiting = locked(&self.0);
            if !std::mem::replace(&mut waiting.is_held, true) {
                return Held { lock: Some(Arc::clone(&self.0)) };
            }
            let (sender, turn) = oneshot::channel();
            let queue = waiting.queues.entry(group).or_default();
            let is_first = queue.is_empty();
            queue.push_back(sender);
            if is_first {
                waiting.ring.push_back(group);
            }
            turn
        };
        match turn.await {
            Ok(held) => held,
            // A sender is dropped only after it has sent.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<G: Copy + Eq + Hash> Drop for Held<G> {
    fn drop(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        let mut waiting = locked(&lock);
        while let Some(next) = waiting.next() {
            match next.send(Held { lock: Some(Arc::clone(&lock)) }) {
                Ok(()) => return,
                // The waiter was cancelled; this guard must not release the lock.
                Err(mut unwanted) => unwanted.lock = None,
            }
        }
        waiting.is_held = false;
    }
}

impl<G: Copy + Eq + Hash> Waiting<G> {
    fn next(&mut self) -> Option<oneshot::Sender<Held<G>>> {
        let group = self.ring.pop_front()?;
        let queue = self.queues.get_mut(&group)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&group);
        } else {
            self.ring.push_back(group);
        }
        next
    }
}

fn locked<G: Copy + Eq + Hash>(lock: &Mutex<Waiting<G>>) -> MutexGuard<'_, Waiting<G>> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acquires the lock, notes that, and releases it.
    async fn ask(lock: Arc<FairLock<u8>>, group: u8, turns: Arc<Mutex<Vec<u8>>>) {
        let _held = lock.lock(group).await;
        turns.lock().unwrap().push(group);
    }

    #[tokio::test]
    async fn a_single_waiter_goes_before_the_rest_of_a_large_group() {
        let (lock, turns) = (Arc::new(FairLock::default()), Arc::<Mutex<Vec<u8>>>::default());
        let held = lock.lock(1).await;
        let mut asking = Vec::new();
        for group in std::iter::repeat_n(1, 100).chain([2, 3]) {
            asking.push(tokio::spawn(ask(Arc::clone(&lock), group, Arc::clone(&turns))));
            tokio::task::yield_now().await;
        }
        drop(held);
        for one in asking {
            one.await.unwrap();
        }
        let turns = turns.lock().unwrap();
        assert_eq!(turns.len(), 102);
        assert_eq!(turns[..3], [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_cancelled_waiter_delays_nobody() {
        let lock = Arc::new(FairLock::default());
        let held = lock.lock(1).await;
        let gone: Vec<_> = (0..5u8)
            .map(|group| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move { drop(lock.lock(group).await) })
            })
            .collect();
        tokio::task::yield_now().await;
        gone.iter().for_each(tokio::task::JoinHandle::abort);
        let next = tokio::spawn({
            let lock = Arc::clone(&lock);
            async move { drop(lock.lock(9).await) }
        });
        tokio::task::yield_now().await;
        drop(held);
        tokio::time::timeout(std::time::Duration::from_secs(5), next).await.unwrap().unwrap();
        drop(lock.lock(1).await);
    }
}
