//! One reader of the database for all live streams. It runs only while somebody follows.

mod news;
mod place;

use std::{sync::Arc, time::Duration};

use actix_web::web::Bytes;
use paird_actors::ports::StoreError;
use paird_sql::queries::connections::listen_to_channel;
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::problem::Problem;
use crate::postgres::{
    backoff::Backoff,
    pool::{Dsn, bounded, listening},
};
use news::News;
pub use news::{PAGE, event_frame};
pub use place::Place;

/// Frames that a consumer may be behind before it has to read the rest from the database.
const SLACK: usize = 1024;
/// While an account is `pending`: its phases have no events.
const LOOK_WHILE_PENDING: Duration = Duration::from_millis(250);
/// Names, owners and what a web app writes have none either.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A connection that lasted so long was a good one.
const LONG_ENOUGH: Duration = Duration::from_secs(5);
const JOIN_WITHIN: Duration = Duration::from_secs(5);

/// What goes to every follower.
#[derive(Clone)]
pub struct Frame {
    /// `None` for an account's state: it may be told again.
    pub place: Option<Place>,
    pub text: Bytes,
}

/// What one who joins is given: the accounts as they are, and everything from then on.
pub struct Follower {
    pub accounts: Vec<Bytes>,
    /// Everything up to here has happened before `frames`.
    pub place: Place,
    /// Nothing that was ever said lies at it or beyond.
    line: i64,
    pub frames: broadcast::Receiver<Frame>,
}

impl Follower {
    pub fn may_have_said(&self, place: Place) -> bool {
        place.xact < self.line
    }
}

/// Where followers join.
#[derive(Clone)]
pub struct Feed {
    joining: mpsc::Sender<oneshot::Sender<Follower>>,
    bell: Arc<Notify>,
}

impl Feed {
    /// Nothing is asked of the database before somebody joins.
    pub fn start(dsn: Dsn, channel: &str, ending: CancellationToken) -> Self {
        let (joining, asked) = mpsc::channel(64);
        let bell = Arc::new(Notify::new());
        let reader = Reader { dsn, channel: channel.to_owned(), bell: Arc::clone(&bell), asked };
        tokio::spawn(ending.run_until_cancelled_owned(reader.run()));
        Self { joining, bell }
    }

    /// There may be news that no event tells of.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// # Errors
    /// 503: the database does not answer, or the daemon stops.
    pub async fn join(&self) -> Result<Follower, Problem> {
        let (give, given) = oneshot::channel();
        let joined = tokio::time::timeout(JOIN_WITHIN, async {
            self.joining.send(give).await.ok()?;
            given.await.ok()
        });
        joined
            .await
            .ok()
            .flatten()
            .ok_or_else(|| Problem::unavailable("the live stream waits for the database: try again"))
    }
}

struct Reader {
    dsn: Dsn,
    channel: String,
    bell: Arc<Notify>,
    asked: mpsc::Receiver<oneshot::Sender<Follower>>,
}

impl Reader {
    async fn run(mut self) {
        while let Some(first) = self.asked.recv().await {
            let (frames, _) = broadcast::channel(SLACK);
            let mut crowd = Crowd { frames, joining: vec![first], news: None };
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
            loop {
                let begun = Instant::now();
                let Err(why) = self.follow(&mut crowd).await else { break };
                if begun.elapsed() > LONG_ENOUGH {
                    backoff.reset();
                }
                let wait = backoff.next();
                warn!(%why, retry_in_ms = wait.as_millis(), "the live stream waits for the database");
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// One connection's life; ends well when nobody follows any more.
    async fn follow(&mut self, crowd: &mut Crowd) -> Result<(), StoreError> {
        let (client, _driver) = listening(&self.dsn, Arc::clone(&self.bell)).await?;
        bounded(listen_to_channel().bind(&client, &self.channel.as_str()).one()).await?;
        if let Some(news) = &mut crowd.news {
            // The connection before this one may have been lost days ago.
            for frame in news.gone(&client).await? {
                let _ = crowd.frames.send(frame);
            }
        }
        loop {
            while let Ok(one) = self.asked.try_recv() {
                crowd.joining.push(one);
            }
            let news = match &mut crowd.news {
                Some(news) => {
                    for frame in news.read(&client).await? {
                        // Nobody may be there to hear it.
                        let _ = crowd.frames.send(frame);
                    }
                    news
                }
                none => none.insert(News::from_now(&client).await?),
            };
            for one in crowd.joining.drain(..) {
                // Who gave up waiting is gone.
                let _ = one.send(Follower {
                    accounts: news.accounts(),
                    place: news.place(),
                    line: news.line(),
                    frames: crowd.frames.subscribe(),
                });
            }
            if crowd.frames.receiver_count() == 0 {
                return Ok(());
            }
            let pause = if news.is_anybody_pending() { LOOK_WHILE_PENDING } else { LOOK_EVERY };
            tokio::select! {
                () = self.bell.notified() => {}
                one = self.asked.recv() => match one {
                    Some(one) => crowd.joining.push(one),
                    None => return Ok(()),
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Those who follow now, and what they were told.
struct Crowd {
    frames: broadcast::Sender<Frame>,
    joining: Vec<oneshot::Sender<Follower>>,
    news: Option<News>,
}
