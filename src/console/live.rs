//! The live stream: server-sent events of one connection.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::VARY,
    web::{Bytes, Data, ReqData},
};
use futures_util::stream;
use paird_sql::queries::console::list_feed_events;
use tokio::sync::{OwnedSemaphorePermit, broadcast::error::RecvError, watch};
use tracing::debug;

use super::{
    accepted::prefers,
    auth::{Caller, unauthenticated},
    feed::{Cursor, Frame, PAGE, Subscription, event_frame},
    fleet_history::{self, EventKinds, EventPage},
    history_page::HistoryPage,
    login::BrowserSession,
    problem::{Problem, ProblemCode},
    state::AppState,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
/// Frames that are ready are sent together up to so many bytes: a snapshot has thousands.
const CHUNK_BYTES: usize = 64 * 1024;
/// Concurrent streams. Each holds a connection, and other requests need some, too.
pub const MOST_STREAMS: usize = 64;

/// The live stream: `account` whenever an account has changed (at the start, each account once
/// and then `accounts` with the ids of all), and every event under its type. An event's `id`
/// is the position to resume from: with `Last-Event-ID`, every event is received exactly once.
/// It ends with the session of the browser that opened it.
///
/// With `Accept: application/json` it is no stream, but the events of all accounts so far as a list, the
/// newest first. The query is for the list alone.
#[utoipa::path(tag = "live",
    params(EventKinds, HistoryPage,
        ("Last-Event-ID" = Option<String>, Header, description = "The last id that was received")),
    responses((status = 200, content((String = "text/event-stream"), (EventPage = "application/json")))))]
#[get("/api/events")]
pub async fn follow(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if prefers(&request, "application/json", "text/event-stream") {
        let page = fleet_history::events(&state, &request).await?;
        return Ok(HttpResponse::Ok().insert_header((VARY, "Accept")).json(page));
    }
    // Subscribed before the session is read: a logout in between is seen.
    let logouts = state.sessions.logouts();
    let session = match *caller {
        Caller::Cookie => Some(state.sessions.of(&request).ok_or_else(unauthenticated)?),
        Caller::Socket | Caller::Token => None,
    };
    let seen = match request.headers().get("Last-Event-ID") {
        None => None,
        Some(header) => {
            let cursor = header.to_str().ok().and_then(Cursor::parse);
            let detail = "Last-Event-ID is not an id of this stream; leave it out";
            Some(cursor.ok_or_else(|| Problem::new(ProblemCode::HeaderInvalid, detail).field("Last-Event-ID"))?)
        }
    };
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else {
        return Err(Problem::new(
            ProblemCode::StreamsInUse,
            format!("all {MOST_STREAMS} live streams are in use: close one"),
        ));
    };
    let mut subscription = state.feed.subscribe().await?;
    // It may be another database's, or this one's before it was restored to an older state.
    let seen = seen.filter(|seen| subscription.may_have_published(*seen));
    let cursor = seen.unwrap_or(subscription.cursor);
    let mut ready = VecDeque::from([Bytes::from(format!(": paird\nretry: 2000\nid: {cursor}\n\n"))]);
    ready.extend(subscription.snapshot.drain(..));
    let stream = Stream { state: state.into_inner(), session, logouts, subscription, cursor, ready, _permit: permit };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header((VARY, "Accept"))
        .streaming(stream::unfold(stream, |stream| async move { stream.next().await })))
}

struct Stream {
    state: Arc<AppState>,
    /// The browser's, if one follows.
    session: Option<BrowserSession>,
    logouts: watch::Receiver<()>,
    subscription: Subscription,
    /// Of the last event that was put into `ready`.
    cursor: Cursor,
    ready: VecDeque<Bytes>,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// `None` ends the stream: the session is over, the daemon stops, or the database cannot be
    /// read. The client resumes when it connects again.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let is_session_over = self.session.is_some_and(|session| !self.state.sessions.is_live(session));
            if is_session_over || self.state.ending.is_cancelled() {
                return None;
            }
            if let Some(chunk) = next_chunk(&mut self.ready) {
                return Some((Ok(chunk), self));
            }
            if self.cursor < self.subscription.cursor {
                self.catch_up().await.ok()?;
                continue;
            }
            tokio::select! {
                () = self.state.ending.cancelled() => return None,
                // It may be another session's: the next round looks.
                Ok(()) = self.logouts.changed() => {}
                received = self.subscription.frames.recv() => match received {
                    Ok(Frame { cursor, text }) => self.push(cursor, text),
                    Err(RecvError::Lagged(missed)) => {
                        debug!(missed, "a live stream lags behind; it reads what it missed from the database");
                        self.subscription = self.state.feed.subscribe().await.ok()?;
                        self.ready.extend(self.subscription.snapshot.drain(..));
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(HEARTBEAT) => self.ready.push_back(Bytes::from_static(b": alive\n\n")),
            }
        }
    }

    fn push(&mut self, cursor: Option<Cursor>, text: Bytes) {
        match cursor {
            None => self.ready.push_back(text),
            Some(cursor) if cursor > self.cursor => {
                self.cursor = cursor;
                self.ready.push_back(text);
            }
            // The client has it already, from another daemon.
            Some(_) => {}
        }
    }

    /// Reads a page of what happened between the client's cursor and the subscription's.
    async fn catch_up(&mut self) -> Result<(), Problem> {
        let database = self.state.database().await?;
        let Cursor { xact, id } = self.cursor;
        let page = self.state.query(list_feed_events().bind(&database, &xact, &id, &PAGE).all()).await?;
        let to = self.subscription.cursor;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
        for event in page {
            let cursor = Cursor { xact: event.xact, id: event.id };
            if cursor <= to {
                self.cursor = cursor;
                self.ready.push_back(event_frame(event));
            }
        }
        if is_last || self.ready.is_empty() {
            self.cursor = self.cursor.max(to);
        }
        Ok(())
    }
}

/// The first frame, and those after it that fit into one chunk with it.
fn next_chunk(ready: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let mut bytes = 0;
    let fits = |frame: &&Bytes| {
        bytes += frame.len();
        bytes <= CHUNK_BYTES
    };
    let count = ready.iter().take_while(fits).count().max(1).min(ready.len());
    let chunk: Vec<Bytes> = ready.drain(..count).collect();
    (count > 0).then(|| chunk.concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_sent_together_in_order_and_none_is_split() {
        let frames = [10, CHUNK_BYTES / 2, CHUNK_BYTES / 2 - 10, 1, 3 * CHUNK_BYTES, 5];
        let mut ready: VecDeque<Bytes> =
            frames.iter().zip(b'a'..).map(|(len, letter)| Bytes::from(vec![letter; *len])).collect();
        let all = ready.iter().flatten().copied().collect::<Vec<u8>>();
        let chunks: Vec<Bytes> = std::iter::from_fn(|| next_chunk(&mut ready)).collect();
        let lengths: Vec<usize> = chunks.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [CHUNK_BYTES, 1, 3 * CHUNK_BYTES, 5]);
        assert_eq!(chunks.concat(), all);
    }
}
