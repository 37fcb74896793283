//! The live stream: server-sent events of one connection.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, get,
    web::{Bytes, Data},
};
use futures_util::stream;
use paird_sql::queries::console::list_feed_events;
use tokio::sync::broadcast::error::RecvError;
use tracing::debug;

use super::{
    answer::answered,
    feed::{Follower, Frame, PAGE, Place, event_frame},
    problem::Problem,
    shared::Shared,
};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// What happens, as it happens: `account` whenever what an account shows has changed (each
/// one once at the start), and every event under its own name. An event's `id` is the
/// place to go on from: with `Last-Event-ID` nothing is left out and nothing comes twice.
#[utoipa::path(tag = "live", params(("Last-Event-ID" = Option<String>, Header, description = "The last id that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
#[get("/api/events")]
pub async fn follow(shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let seen = match request.headers().get("Last-Event-ID") {
        None => None,
        Some(header) => {
            let place = header.to_str().ok().and_then(Place::parse);
            Some(place.ok_or_else(|| Problem::malformed("Last-Event-ID is no id of this stream; leave it out"))?)
        }
    };
    let mut follower = shared.feed.join().await?;
    // Of another database, or of this one before it was put back to an older state.
    let seen = seen.filter(|seen| follower.may_have_said(*seen));
    let place = seen.unwrap_or(follower.place);
    let mut ready = VecDeque::from([Bytes::from(format!(": paird\nretry: 2000\nid: {place}\n\n"))]);
    ready.extend(follower.accounts.drain(..));
    let stream = Stream { shared: shared.into_inner(), follower, place, ready };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(stream, |stream| async move { stream.next().await })))
}

struct Stream {
    shared: Arc<Shared>,
    follower: Follower,
    /// Of the last event that was put into `ready`.
    place: Place,
    ready: VecDeque<Bytes>,
}

impl Stream {
    /// `None` is the end: the daemon stops, or the database does not give what is missing.
    /// Whoever comes back goes on where it was.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if self.shared.ending.is_cancelled() {
                return None;
            }
            if let Some(frame) = self.ready.pop_front() {
                return Some((Ok(frame), self));
            }
            if self.place < self.follower.place {
                self.catch_up().await.ok()?;
                continue;
            }
            tokio::select! {
                () = self.shared.ending.cancelled() => return None,
                followed = self.follower.frames.recv() => match followed {
                    Ok(Frame { place, text }) => self.take(place, text),
                    Err(RecvError::Lagged(missed)) => {
                        debug!(missed, "a consumer of the live stream is behind: it reads what it missed");
                        self.follower = self.shared.feed.join().await.ok()?;
                        self.ready.extend(self.follower.accounts.drain(..));
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(HEARTBEAT) => self.ready.push_back(Bytes::from_static(b": alive\n\n")),
            }
        }
    }

    fn take(&mut self, place: Option<Place>, text: Bytes) {
        match place {
            None => self.ready.push_back(text),
            Some(place) if place > self.place => {
                self.place = place;
                self.ready.push_back(text);
            }
            // Another daemon has said it already.
            Some(_) => {}
        }
    }

    /// What happened between the last visit and the place where the feed was joined.
    async fn catch_up(&mut self) -> Result<(), Problem> {
        let database = self.shared.database().await?;
        let Place { xact, id } = self.place;
        let page = answered(list_feed_events().bind(&database, &xact, &id, &PAGE).all()).await?;
        let to = self.follower.place;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
        for event in page {
            let place = Place { xact: event.xact, id: event.id };
            if place <= to {
                self.place = place;
                self.ready.push_back(event_frame(event));
            }
        }
        if is_last || self.ready.is_empty() {
            self.place = self.place.max(to);
        }
        Ok(())
    }
}
