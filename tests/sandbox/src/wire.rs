//! Stanzas over one WebSocket: frames with a three-byte length, sealed with
//! the keys of the Noise handshake.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_websockets::{Config, Limits, Message, ServerBuilder, WebSocketStream};
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_binary::util::unpack_bytes;
use wacore_binary::{Node, OwnedNodeRef, marshal_auto};
use wacore_noise::NoiseCipher;
use wacore_noise::framing::{FrameDecoder, encode_frame};
use waproto::whatsapp::ClientPayload;

use crate::faults::Garbage;
use crate::noise::{Hello, Pattern, ServerKeys};
use crate::stanza::ib;

/// For the WebSocket upgrade and the Noise handshake together.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(20);
/// Thousands of connections share one process; most of them are silent.
const WEBSOCKET_BUFFER: usize = 4 * 1024;
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// An open, authenticated connection.
pub(crate) struct Line {
    socket: WebSocketStream<TcpStream>,
    frames: FrameDecoder,
    write: NoiseCipher,
    read: NoiseCipher,
    written: u32,
    taken: u32,
}

/// The client at the other end, according to its handshake.
pub(crate) struct Caller {
    pub(crate) pattern: Pattern,
    pub(crate) noise_key: [u8; 32],
    pub(crate) payload: ClientPayload,
}

impl Line {
    pub(crate) async fn open(tcp: TcpStream, keys: &ServerKeys) -> Result<(Self, Caller)> {
        timeout(HANDSHAKE_DEADLINE, shake_hands(tcp, keys)).await.context("the handshake took too long")?
    }

    pub(crate) async fn send(&mut self, stanza: &Node) -> Result<()> {
        let sealed = self.write.encrypt_with_counter(self.written, &marshal_auto(stanza)?)?;
        self.written += 1;
        self.send_frame(&sealed).await
    }

    /// Sends bytes that the client cannot decrypt.
    pub(crate) async fn send_garbage(&mut self, garbage: Garbage) -> Result<()> {
        match garbage {
            Garbage::Frame => self.send_frame(&[0x5a; 48]).await,
            Garbage::Empty => self.send_frame(&[]).await,
            Garbage::Skipped => {
                self.written += 1;
                self.send(&ib(Vec::new())).await
            }
            Garbage::Length => {
                let mut frame = vec![0x7f, 0xff, 0xff];
                frame.extend([0x5a; 48]);
                Ok(self.socket.send(Message::binary(BytesMut::from(frame.as_slice()))).await?)
            }
        }
    }

    /// The next stanza, or `None` when the client has closed. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Result<Option<Node>> {
        let Some(mut frame) = next_frame(&mut self.socket, &mut self.frames).await? else { return Ok(None) };
        self.read.decrypt_in_place_with_counter(self.taken, &mut frame)?;
        self.taken += 1;
        Ok(Some(OwnedNodeRef::new(unpack_bytes(frame)?)?.to_owned_node()))
    }

    /// Closes as a server should, without waiting for the client.
    pub(crate) async fn close(mut self) {
        // A client that is gone already is not worth a word.
        let _ = timeout(Duration::from_secs(1), self.socket.close()).await;
    }

    async fn send_frame(&mut self, sealed: &[u8]) -> Result<()> {
        Ok(self.socket.send(Message::binary(BytesMut::from(encode_frame(sealed, None)?.as_slice()))).await?)
    }
}

async fn shake_hands(tcp: TcpStream, keys: &ServerKeys) -> Result<(Line, Caller)> {
    tcp.set_nodelay(true)?;
    let (request, mut socket) = ServerBuilder::new()
        .config(Config::default().frame_size(WEBSOCKET_BUFFER).flush_threshold(WEBSOCKET_BUFFER))
        .limits(Limits::default().max_payload_len(Some(LARGEST_MESSAGE)))
        .accept(tcp)
        .await?;
    ensure!(request.uri().path() == "/ws/chat", "a request for {} instead of /ws/chat", request.uri().path());

    let mut frames = FrameDecoder::new();
    let opening = next_message(&mut socket).await?.context("closed before the handshake")?;
    let Some(first) = opening.strip_prefix(&WA_CONN_HEADER) else {
        bail!("the connection does not open with the protocol header of this dictionary version");
    };
    frames.feed(first);
    let client_hello = next_frame(&mut socket, &mut frames).await?.context("closed before its ClientHello")?;
    let (server_hello, hello) = keys.answer_hello(&client_hello)?;
    socket.send(Message::binary(BytesMut::from(encode_frame(&server_hello, None)?.as_slice()))).await?;
    let accepted = match hello {
        Hello::Done(accepted) => *accepted,
        Hello::AwaitFinish(half_open) => {
            let finish = next_frame(&mut socket, &mut frames).await?.context("closed before its ClientFinish")?;
            half_open.finish(&finish)?
        }
    };
    let line = Line { socket, frames, write: accepted.write, read: accepted.read, written: 0, taken: 0 };
    let caller = Caller { pattern: accepted.pattern, noise_key: accepted.client_static, payload: accepted.payload };
    Ok((line, caller))
}

async fn next_frame(socket: &mut WebSocketStream<TcpStream>, frames: &mut FrameDecoder) -> Result<Option<BytesMut>> {
    loop {
        if let Some(frame) = frames.decode_frame() {
            return Ok(Some(frame));
        }
        match next_message(socket).await? {
            Some(data) => frames.feed(&data),
            None => return Ok(None),
        }
    }
}

async fn next_message(socket: &mut WebSocketStream<TcpStream>) -> Result<Option<Vec<u8>>> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_close() {
            return Ok(None);
        }
        if message.is_binary() {
            return Ok(Some(message.as_payload().to_vec()));
        }
    }
    Ok(None)
}
