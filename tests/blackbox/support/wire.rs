//! The way from a daemon to Postgres, on which a test loses answers and cuts off reads.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use paird::whatsapp::backend::RECORD_KINDS;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use uuid::Uuid;

use super::{Stage, until};

const SSL_REQUEST: [u8; 4] = 80_877_103_i32.to_be_bytes();

/// The kind of a keyring's own row, which is read with its device.
pub const OPENING: &str = "keyring";

/// See the module.
pub struct Wire {
    pub dsn: String,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Faults {
    /// The next answer that comes is dropped, and its connection with it.
    deaf: AtomicBool,
    reads: Mutex<Reads>,
}

/// Reads of the records of one keyring.
#[derive(Default)]
struct Reads {
    keyring: Option<Uuid>,
    seen: BTreeSet<&'static str>,
    /// Reads of this kind end with their connection.
    cut: Option<&'static str>,
    cut_off: usize,
}

impl Wire {
    pub fn to(stage: &Stage) -> Self {
        let dir = stage.dir.join("w");
        std::fs::create_dir(&dir).unwrap();
        let socket = ".s.PGSQL.5432";
        let listener = UnixListener::bind(dir.join(socket)).unwrap();
        let real = stage.dir.join("run").join(socket);
        let faults = Arc::new(Faults::default());
        let over = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let Ok(to) = UnixStream::connect(&real).await else { continue };
                tokio::spawn(carry(from, to, Arc::clone(&over)));
            }
        });
        Self { dsn: format!("host='{}' user=paird dbname=paird", dir.display()), faults }
    }

    pub async fn lose_an_answer(&self) {
        let deaf = &self.faults.deaf;
        deaf.store(true, Ordering::Release);
        until("an answer to lose", || async { (!deaf.load(Ordering::Acquire)).then_some(()) }).await;
    }

    /// Notes from now on which kinds of records of this keyring are read.
    pub fn watch(&self, keyring: Uuid) {
        *self.faults.reads() = Reads { keyring: Some(keyring), ..Reads::default() };
    }

    /// The kinds that were read since this was last asked.
    pub fn kinds_read(&self) -> BTreeSet<&'static str> {
        std::mem::take(&mut self.faults.reads().seen)
    }

    pub fn cut_off_reads_of(&self, kind: &'static str) {
        let mut reads = self.faults.reads();
        (reads.cut, reads.cut_off) = (Some(kind), 0);
    }

    pub fn cut_off(&self) -> usize {
        self.faults.reads().cut_off
    }

    pub fn mend(&self) {
        self.faults.reads().cut = None;
    }
}

impl Faults {
    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap()
    }

    /// A read names a keyring and a kind, the opening of a keyring its account besides,
    /// a write the owner as well.
    fn cuts(&self, parameters: &[&[u8]]) -> bool {
        let mut reads = self.reads();
        let Some(keyring) = reads.keyring else { return false };
        let ids = parameters.iter().filter(|parameter| parameter.len() == 16).count();
        if ids > 2 || !parameters.contains(&keyring.as_bytes().as_slice()) {
            return false;
        }
        let Some(kind) = RECORD_KINDS.iter().find(|kind| parameters.contains(&kind.as_bytes())) else { return false };
        let kind = if ids == 2 { OPENING } else { kind };
        reads.seen.insert(kind);
        let is_cut = reads.cut == Some(kind);
        reads.cut_off += usize::from(is_cut);
        is_cut
    }
}

/// Both ways, until either ends.
async fn carry(from: UnixStream, to: UnixStream, faults: Arc<Faults>) {
    let (asking, answered) = from.into_split();
    let (answering, asked) = to.into_split();
    tokio::select! {
        _ = carry_questions(asking, asked, &faults) => {}
        () = carry_answers(answering, answered, &faults) => {}
    }
}

async fn carry_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) {
    let mut bytes = vec![0; 65_536];
    loop {
        match from.read(&mut bytes).await {
            Ok(1..) if faults.deaf.swap(false, Ordering::AcqRel) => return,
            Ok(count @ 1..) if to.write_all(&bytes[..count]).await.is_ok() => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Message by message: a type, a length that counts itself, and so much more. The
/// first of a connection has no type.
async fn carry_questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) -> std::io::Result<()> {
    let mut type_bytes = 0;
    loop {
        let mut message = vec![0; type_bytes + 4];
        from.read_exact(&mut message).await?;
        let length = usize::try_from(number(&message[type_bytes..])).unwrap();
        let body = type_bytes + 4;
        message.resize(type_bytes + length, 0);
        from.read_exact(&mut message[body..]).await?;
        if type_bytes == 1 && message[0] == b'B' && faults.cuts(&parameters(&message[body..])) {
            return Ok(());
        }
        to.write_all(&message).await?;
        if message[body..] != SSL_REQUEST {
            type_bytes = 1;
        }
    }
}

/// Those of a `Bind`: two names, formats, and then the values with their lengths.
fn parameters(bind: &[u8]) -> Vec<&[u8]> {
    let names_end = bind.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(1).unwrap().0 + 1;
    let (formats, rest) = counted(&bind[names_end..]);
    let (count, mut rest) = counted(&rest[formats * 2..]);
    let mut parameters = Vec::new();
    for _ in 0..count {
        // Less than nothing is NULL.
        let length = usize::try_from(number(rest)).unwrap_or(0);
        let (value, after) = rest[4..].split_at(length);
        parameters.push(value);
        rest = after;
    }
    parameters
}

fn counted(bytes: &[u8]) -> (usize, &[u8]) {
    let (count, rest) = bytes.split_at(2);
    (usize::from(u16::from_be_bytes(count.try_into().unwrap())), rest)
}

fn number(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes[..4].try_into().unwrap())
}
