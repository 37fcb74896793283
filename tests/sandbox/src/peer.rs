//! One connection: its line, its orders, and the waiting in between.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use wacore_binary::Node;

use crate::faults::PausePoint;
use crate::orders::Order;
use crate::wire::Line;
use crate::world::{Enrolled, World, now_ms};

pub(crate) struct Peer {
    pub(crate) world: Arc<World>,
    pub(crate) enrolled: Enrolled,
    line: Line,
    orders: mpsc::Receiver<Order>,
    /// Events that came while the connection was paused.
    backlog: VecDeque<Happening>,
    /// For the journal.
    pub(crate) name: String,
}

pub(crate) enum Happening {
    Stanza(Node),
    Order(Order),
    /// Something may wait for the device.
    Post,
}

/// The end of a connection.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The client closed, or its socket broke.
    ClientGone,
    /// Drop the socket without a word.
    Cut,
    /// Close in an orderly way.
    Close,
    /// Say a last thing, wait a little, close.
    With(Box<Node>),
}

pub(crate) type Step<T = ()> = Result<T, Ending>;

impl Peer {
    pub(crate) fn new(world: Arc<World>, enrolled: Enrolled, line: Line, orders: mpsc::Receiver<Order>) -> Self {
        Self { world, enrolled, line, orders, backlog: VecDeque::new(), name: "unregistered".to_owned() }
    }

    pub(crate) async fn send(&mut self, stanza: &Node) -> Step {
        self.line.send(stanza).await.map_err(|_| Ending::ClientGone)
    }

    /// The next event. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Step<Happening> {
        match self.backlog.pop_front() {
            Some(happened) => Ok(happened),
            None => self.happen().await,
        }
    }

    /// Waits for a future. Events meanwhile are queued, except for those that end
    /// the connection.
    pub(crate) async fn hold<T>(&mut self, until: impl Future<Output = T>) -> Step<T> {
        tokio::pin!(until);
        loop {
            tokio::select! {
                done = &mut until => return Ok(done),
                happened = self.happen() => {
                    let happened = happened?;
                    self.backlog.push_back(happened);
                }
            }
        }
    }

    pub(crate) async fn wait(&mut self, time: Duration) -> Step {
        self.hold(sleep(time)).await
    }

    /// Stands still as long as a pause is armed for the point.
    pub(crate) async fn pass(&mut self, point: PausePoint, number: &str) -> Step {
        let world = Arc::clone(&self.world);
        self.hold(world.pass(point, number)).await
    }

    pub(crate) fn note_unknown(&self, stanza: &Node) {
        self.world.state().report.note_unknown(now_ms(), &self.name, stanza);
    }

    pub(crate) fn note_violation(&self, what: String) {
        self.world.state().report.note_violation(now_ms(), &self.name, what);
    }

    /// Ends the connection. Its entry in the world goes with it, so a device
    /// counts as connected until its socket is closed.
    pub(crate) async fn end(mut self, ending: Ending) {
        match ending {
            Ending::ClientGone | Ending::Cut => {}
            Ending::Close => self.line.close().await,
            Ending::With(last) => {
                let pause = self.world.pace().before_close();
                if self.send(&last).await.is_ok() && self.wait(pause).await.is_ok() {
                    self.line.close().await;
                }
            }
        }
    }

    /// Keeps a pairing socket open, and sends `chatter` while the client reads.
    pub(crate) async fn linger(&mut self, time: Duration, chatter: &Node) {
        let beat = Duration::from_millis(50);
        let talk = async {
            while self.line.send(chatter).await.is_ok() {
                sleep(beat).await;
            }
            // The client no longer reads, but the socket stays open.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = talk => {}
            () = sleep(time) => {}
        }
    }

    async fn happen(&mut self) -> Step<Happening> {
        tokio::select! {
            () = self.enrolled.post.notified() => Ok(Happening::Post),
            stanza = self.line.next() => match stanza {
                Ok(Some(stanza)) => Ok(Happening::Stanza(stanza)),
                Ok(None) => Err(Ending::ClientGone),
                Err(error) => {
                    tracing::debug!(connection = %self.name, %error, "connection broke");
                    Err(Ending::ClientGone)
                }
            },
            order = self.orders.recv() => match order {
                Some(Order::Cut) | None => Err(Ending::Cut),
                Some(Order::EndWith(last)) => Err(Ending::With(last)),
                Some(Order::Garble(garbage)) => {
                    self.line.send_garbage(garbage).await.map_err(|_| Ending::ClientGone)?;
                    Ok(Happening::Order(Order::Garble(garbage)))
                }
                Some(Order::Say(stanza)) => {
                    self.line.send(&stanza).await.map_err(|_| Ending::ClientGone)?;
                    Ok(Happening::Order(Order::Say(stanza)))
                }
                Some(order) => Ok(Happening::Order(order)),
            },
        }
    }
}
