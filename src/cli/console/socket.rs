//! HTTP over the console's Unix socket.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};
use ureq::{Agent, Error, config::Config, http::Uri};

/// An agent that sends every request to this socket, regardless of its host name.
pub(super) fn agent(config: Config, path: &Path) -> Agent {
    Agent::with_parts(config, ToSocket(path.to_owned()), NoAddress)
}

/// Whether a process listens there; `None` if there is no socket.
pub(super) fn answers(path: &Path) -> Option<bool> {
    match UnixStream::connect(path) {
        Ok(_) => Some(true),
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(false),
    }
}

#[derive(Debug)]
struct ToSocket(PathBuf);

impl Connector for ToSocket {
    type Out = SocketTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<SocketTransport>, Error> {
        let socket = UnixStream::connect(&self.0)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(SocketTransport { socket, buffers }))
    }
}

/// Resolves no name: a socket needs no address.
#[derive(Debug)]
struct NoAddress;

impl Resolver for NoAddress {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

struct SocketTransport {
    socket: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_write_timeout(within(timeout))?;
        let output = &self.buffers.output()[..amount];
        self.socket.write_all(output).map_err(|why| in_time(why, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.socket.set_read_timeout(within(timeout))?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.socket.read(input) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|why| in_time(why, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// One request a connection: a daemon that was restarted has another socket.
    fn is_open(&mut self) -> bool {
        false
    }
}

impl std::fmt::Debug for SocketTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SocketTransport")
    }
}

fn within(timeout: NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|left| *left)
}

fn in_time(why: io::Error, timeout: NextTimeout) -> Error {
    if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return Error::Timeout(timeout.reason);
    }
    why.into()
}
