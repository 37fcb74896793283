//! The way from a daemon to Postgres, on which answers get lost, statements get stuck and
//! reads are cut off.

mod reads;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream, unix},
    sync::watch,
};
use uuid::Uuid;

use reads::Reads;

pub use reads::OPENING;

use super::{Stage, until};

const SOCKET: &str = ".s.PGSQL.5432";

/// A relay that reads the protocol's frames and carries each one on by itself.
pub struct Wire {
    /// For the daemon that is to go this way.
    pub dsn: String,
    /// The next answer that comes is dropped, and its connection with it.
    deaf: Arc<AtomicBool>,
    jam: Arc<watch::Sender<Jam>>,
    reads: Arc<Reads>,
    carried: Carried,
    delays: Delays,
    unanswered: Unanswered,
    mutes: Mutes,
}

/// Statements with such a text that are carried out, and nobody ever hears of it.
type Mutes = Arc<Mutex<Vec<&'static str>>>;

/// Statements with such a text that are carried out, each once, and whose answer is lost.
type Unanswered = Arc<Mutex<Vec<&'static str>>>;

/// Statements with such a text that are late, each once, and by how much.
type Delays = Arc<Mutex<Vec<(&'static str, Duration)>>>;

/// How often each statement went this way, by its text.
type Carried = Arc<Mutex<BTreeMap<String, usize>>>;

/// Statements that are stuck on the way.
#[derive(Default)]
struct Jam {
    /// Such a statement stops, and all that follows it on its connection.
    stops: Vec<Stop>,
    stuck: Vec<Stuck>,
    let_go: bool,
    /// The server's eventual answers: the number of rows, or an error's message.
    answers: Vec<String>,
}

/// A piece of a statement's text, and of what it is given.
#[derive(Clone)]
struct Stop {
    text: &'static str,
    names: Vec<u8>,
}

struct Stuck {
    text: &'static str,
    /// The frame with the statement's parameters.
    bind: Vec<u8>,
}

impl Wire {
    pub fn to(stage: &Stage) -> Self {
        Self::beside(&stage.dir)
    }

    /// To the embedded Postgres of this directory.
    pub fn beside(database: &Path) -> Self {
        let dir = database.join("w");
        std::fs::create_dir(&dir).unwrap();
        let listener = UnixListener::bind(dir.join(SOCKET)).unwrap();
        let real = database.join("run").join(SOCKET);
        let (deaf, jam) = (Arc::new(AtomicBool::new(false)), Arc::new(watch::Sender::default()));
        let (reads, carried, delays) = (Arc::new(Reads::default()), Carried::default(), Delays::default());
        let (unanswered, mutes) = (Unanswered::default(), Mutes::default());
        let shared = Faults {
            deaf: Arc::clone(&deaf),
            jam: Arc::clone(&jam),
            reads: Arc::clone(&reads),
            carried: Arc::clone(&carried),
            delays: Arc::clone(&delays),
            unanswered: Arc::clone(&unanswered),
            mutes: Arc::clone(&mutes),
        };
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let Ok(to) = UnixStream::connect(&real).await else { continue };
                tokio::spawn(carry(from, to, shared.clone()));
            }
        });
        let dsn = format!("host='{}' user=paird dbname=paird sslmode=disable", dir.display());
        Self { dsn, deaf, jam, reads, carried, delays, unanswered, mutes }
    }

    /// From now on statements are counted from nothing.
    pub fn count_anew(&self) {
        self.carried.lock().unwrap().clear();
    }

    /// Each statement's text, and how often it went this way.
    pub fn carried(&self) -> BTreeMap<String, usize> {
        self.carried.lock().unwrap().clone()
    }

    pub async fn lose_an_answer(&self) {
        self.deaf.store(true, Ordering::Release);
        until("an answer to lose", || async { (!self.deaf.load(Ordering::Acquire)).then_some(()) }).await;
    }

    /// The next statement with this text is carried out, and its answer is lost, and its connection
    /// with it.
    pub fn lose_the_answer_to(&self, text: &'static str) {
        self.unanswered.lock().unwrap().push(text);
    }

    /// Waits until all such answers are lost.
    pub async fn answers_are_lost(&self) {
        until("the answers to be lost", || async { self.unanswered.lock().unwrap().is_empty().then_some(()) }).await;
    }

    /// From now on statements with this text are carried out, and their sender never hears of it: the
    /// connection stays, and is silent.
    pub fn mute(&self, text: &'static str) {
        self.mutes.lock().unwrap().push(text);
    }

    /// From now on statements with this text get stuck, until [`Wire::let_go`].
    pub fn jam(&self, text: &'static str) {
        self.jam_naming(text, "");
    }

    /// The same, of those alone that are given this among other things.
    pub fn jam_naming(&self, text: &'static str, names: &str) {
        self.jam.send_modify(|jam| jam.stops.push(Stop { text, names: names.as_bytes().to_vec() }));
    }

    /// The next statement with this text waits on its way, and all behind it on its connection.
    pub fn delay_next(&self, text: &'static str, time: Duration) {
        self.delays.lock().unwrap().push((text, time));
    }

    /// Nothing waits from now on that does not wait already.
    pub fn delay_no_more(&self) {
        self.delays.lock().unwrap().clear();
    }

    /// New statements pass from now on; stuck ones stay stuck.
    pub fn unjam(&self) {
        self.jam.send_modify(|jam| jam.stops.clear());
    }

    /// Waits until a statement with this text that names the account is stuck.
    pub async fn is_jammed(&self, text: &str, account: Uuid) {
        let names = |stuck: &Stuck| stuck.bind.windows(16).any(|bytes| bytes == account.as_bytes());
        until(&format!("a statement stuck with {text:?}"), || async {
            self.jam.borrow().stuck.iter().any(|stuck| stuck.text == text && names(stuck)).then_some(())
        })
        .await;
    }

    /// How many statements are stuck.
    pub fn stuck(&self) -> usize {
        self.jam.borrow().stuck.len()
    }

    /// Notes from now on which kinds of records of this keyring are read.
    pub fn watch(&self, keyring: Uuid) {
        self.reads.watch(keyring);
    }

    /// The kinds that were read since this was last asked.
    pub fn kinds_read(&self) -> BTreeSet<&'static str> {
        self.reads.take_seen()
    }

    pub fn cut_off_reads_of(&self, kind: &'static str) {
        self.reads.cut(Some(kind));
    }

    pub fn cut_off(&self) -> usize {
        self.reads.cut_off()
    }

    pub fn mend(&self) {
        self.reads.cut(None);
    }

    /// Everything that is stuck goes on, whether or not its sender still waits for it. What
    /// the server made of each.
    pub async fn let_go(&self) -> Vec<String> {
        self.jam.send_modify(|jam| {
            jam.stops.clear();
            jam.let_go = true;
        });
        until("an answer to everything that was stuck", || async {
            let jam = self.jam.borrow();
            (jam.answers.len() == jam.stuck.len()).then(|| jam.answers.clone())
        })
        .await
    }
}

/// What goes wrong on the way.
#[derive(Clone)]
struct Faults {
    deaf: Arc<AtomicBool>,
    jam: Arc<watch::Sender<Jam>>,
    reads: Arc<Reads>,
    carried: Carried,
    delays: Delays,
    unanswered: Unanswered,
    mutes: Mutes,
}

/// Of one connection.
#[derive(Default)]
struct Flags {
    /// What was stuck goes on.
    is_late: AtomicBool,
    /// The answer that is under way is lost.
    is_unanswered: AtomicBool,
    /// No answer is handed on any more.
    is_mute: AtomicBool,
}

async fn carry(from: UnixStream, to: UnixStream, faults: Faults) {
    let (asking, asked) = from.into_split();
    let (answering, answered) = to.into_split();
    let flags = Flags::default();
    let ask = async {
        if carry_statements(asking, answered, &faults, &flags).await.is_err() {
            // The server's last words are read when the daemon is gone already.
            std::future::pending().await
        }
    };
    tokio::select! {
        () = ask => {}
        _ = carry_answers(answering, asked, &faults, &flags) => {}
    }
}

/// Returns without an error when a read is cut off.
async fn carry_statements(
    mut asking: unix::OwnedReadHalf,
    mut answered: unix::OwnedWriteHalf,
    faults: &Faults,
    flags: &Flags,
) -> io::Result<()> {
    let Faults { jam, reads, carried, delays, unanswered, mutes, .. } = faults;
    let count = |text: &str| *carried.lock().unwrap().entry(text.to_owned()).or_default() += 1;
    // The first frame has no kind.
    answered.write_all(&frame(&mut asking, 0).await?).await?;
    let mut texts: HashMap<String, String> = HashMap::new();
    loop {
        let frame = frame(&mut asking, 1).await?;
        match frame.first() {
            Some(b'P') => {
                let [name, text] = words(&frame);
                texts.insert(name, text);
            }
            Some(b'B') => {
                let [_, name] = words(&frame);
                if texts.get(&name).is_some_and(|text| reads.cuts(text, &frame[5..])) {
                    return Ok(());
                }
                texts.get(&name).inspect(|text| count(text));
                let delay = texts.get(&name).and_then(|sql| {
                    let mut delays = delays.lock().unwrap();
                    let at = delays.iter().position(|(text, _)| sql.contains(text))?;
                    Some(delays.swap_remove(at).1)
                });
                if let Some(time) = delay {
                    tokio::time::sleep(time).await;
                }
                let contains =
                    |names: &[u8]| names.is_empty() || frame.windows(names.len()).any(|bytes| bytes == names);
                let stops =
                    |stop: &&Stop| texts.get(&name).is_some_and(|sql| sql.contains(stop.text)) && contains(&stop.names);
                let stuck = jam.borrow().stops.iter().find(stops).map(|stop| stop.text);
                if let Some(text) = stuck {
                    let stuck = Stuck { text, bind: frame.clone() };
                    jam.send_modify(|jam| jam.stuck.push(stuck));
                    jam.subscribe().wait_for(|jam| jam.let_go).await.unwrap();
                    flags.is_late.store(true, Ordering::Release);
                }
                let is_of = |text: &str| texts.get(&name).is_some_and(|sql| sql.contains(text));
                if mutes.lock().unwrap().iter().any(|text| is_of(text)) {
                    flags.is_mute.store(true, Ordering::Release);
                }
                if unanswered.lock().unwrap().iter().any(|text| is_of(text)) {
                    flags.is_unanswered.store(true, Ordering::Release);
                }
            }
            Some(b'Q') => count(&words(&frame)[0]),
            Some(_) | None => {}
        }
        answered.write_all(&frame).await?;
    }
}

async fn carry_answers(
    mut answering: unix::OwnedReadHalf,
    mut asked: unix::OwnedWriteHalf,
    faults: &Faults,
    flags: &Flags,
) -> io::Result<()> {
    let Faults { deaf, jam, unanswered, .. } = faults;
    let Flags { is_late, is_unanswered, is_mute } = flags;
    loop {
        let frame = frame(&mut answering, 1).await?;
        if is_unanswered.load(Ordering::Acquire) {
            // Ready for the next: it has been committed.
            if frame.first() == Some(&b'Z') {
                unanswered.lock().unwrap().clear();
                return Ok(());
            }
            continue;
        }
        // Complete, or an error: the answer to one statement.
        if matches!(frame.first(), Some(b'C' | b'E')) && is_late.swap(false, Ordering::AcqRel) {
            let said = String::from_utf8_lossy(&frame[5..]).replace('\0', " ").trim().to_owned();
            jam.send_modify(|jam| jam.answers.push(said));
        }
        if deaf.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        if is_mute.load(Ordering::Acquire) {
            continue;
        }
        // It may be gone; the server is heard to its end.
        let _ = asked.write_all(&frame).await;
    }
}

/// One frame: a kind, its length with itself, and the rest.
async fn frame(from: &mut (impl AsyncRead + Unpin), kind: usize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; kind + 4];
    from.read_exact(&mut frame).await?;
    let length = u32::from_be_bytes(frame[kind..].try_into().unwrap());
    frame.resize(kind + length as usize, 0);
    from.read_exact(&mut frame[kind + 4..]).await?;
    Ok(frame)
}

/// The first two words of a frame, each ended by a zero.
fn words(frame: &[u8]) -> [String; 2] {
    let mut words = frame[5..].split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    [words.next().unwrap(), words.next().unwrap_or_default()]
}
