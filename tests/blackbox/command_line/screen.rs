//! A real terminal around a command, and what is on its screen.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    sync::{Arc, Mutex},
};

use paird_testkit::{Stage, find_qrs, until};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// `paird` in a pseudo terminal.
pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<vt100::Parser<Noted>>>,
    pty: Box<dyn MasterPty + Send>,
}

/// What a terminal does besides showing text.
#[derive(Default)]
struct Noted(Vec<String>);

impl Noted {
    fn note(&mut self, what: &[u8]) {
        self.0.push(String::from_utf8_lossy(what).into_owned());
    }
}

impl vt100::Callbacks for Noted {
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.note(name);
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.note(title);
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.note(data);
    }
}

impl Screen {
    pub fn start(stage: &Stage, args: &[&str], columns: u16, lines: u16) -> Self {
        Self::running(stage, env!("CARGO_BIN_EXE_paird"), args, &[], columns, lines)
    }

    /// Any program, with more variables than `paird` itself needs.
    pub fn running(
        stage: &Stage,
        program: &str,
        args: &[&str],
        variables: &[(&str, &str)],
        columns: u16,
        lines: u16,
    ) -> Self {
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.args(args);
        for (name, value) in variables {
            command.env(name, value);
        }
        command.cwd(&stage.dir);
        command.env("TERM", "xterm-256color");
        command.env("DATABASE_URL", &stage.dsn);
        command.env("PAIRD_DATA_DIR", stage.dir.join("daemon"));
        let child = pair.slave.spawn_command(command).unwrap();
        let seen =
            Arc::new(Mutex::new(vt100::Parser::new_with_callbacks(cells(lines), cells(columns), 0, Noted::default())));
        let mut output = pair.master.try_clone_reader().unwrap();
        let screen = Arc::clone(&seen);
        // Reading ends with the terminal.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                screen.lock().unwrap().process(&bytes[..read]);
            }
        });
        Self { child, keys: pair.master.take_writer().unwrap(), seen, pty: pair.master }
    }

    pub fn text(&self) -> String {
        self.seen.lock().unwrap().screen().contents()
    }

    /// What the terminal was told besides what it shows: titles, and what goes to the clipboard.
    pub fn asides(&self) -> Vec<String> {
        self.seen.lock().unwrap().callbacks().0.clone()
    }

    pub async fn shows(&self, text: &str) {
        until(&format!("{text:?} on the screen"), || async { self.text().contains(text).then_some(()) }).await;
    }

    pub async fn hides(&self, text: &str) {
        until(&format!("no {text:?} on the screen"), || async { (!self.text().contains(text)).then_some(()) }).await;
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        self.seen.lock().unwrap().screen_mut().set_size(cells(lines), cells(columns));
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.pty.resize(size).unwrap();
    }

    /// Whether the program draws on the terminal's alternate screen.
    pub fn is_borrowed(&self) -> bool {
        self.seen.lock().unwrap().screen().alternate_screen()
    }

    /// After the program's end, whose last output may still be on its way through the terminal.
    pub async fn is_given_back(&self) {
        let is_free = || !self.is_borrowed() && !self.seen.lock().unwrap().screen().hide_cursor();
        until("the terminal given back", || async { is_free().then_some(()) }).await;
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// The exit code, when it has ended by itself.
    pub async fn end(&mut self) -> u32 {
        let child = Mutex::new(&mut self.child);
        until("an end", || async { child.lock().unwrap().try_wait().unwrap() }).await.exit_code()
    }

    /// Reads the QR off the screen's cells, as a phone's camera does: by their colours.
    pub async fn qr(&self) -> String {
        until("a QR on the screen", || async { self.qr_now() }).await
    }

    fn qr_now(&self) -> Option<String> {
        const SCALE: u32 = 4;
        let parser = self.seen.lock().unwrap();
        let screen = parser.screen();
        let (lines, columns) = screen.size();
        let paper = vt100::Color::Idx(231);
        let is_paper = |y: u16, x: u16| screen.cell(y, x).is_some_and(|cell| cell.bgcolor() == paper);
        let ink: Vec<(u16, u16)> = (0..lines.get())
            .flat_map(|y| (0..columns.get()).map(move |x| (y, x)))
            .filter(|(y, x)| is_paper(*y, *x))
            .collect();
        let (top, left) = *ink.first()?;
        let (bottom, right) = *ink.last()?;
        let side = u32::from(right - left) + 1;
        if (u32::from(bottom - top) + 1) * 2 < side {
            return None;
        }
        let picture = image::GrayImage::from_fn(side * SCALE, side * SCALE, |x, y| {
            let (x, y) = (x / SCALE, y / SCALE);
            let cell = screen.cell(top + u16::try_from(y / 2).unwrap(), left + u16::try_from(x).unwrap());
            let block = cell
                .filter(|cell| cell.fgcolor() == vt100::Color::Idx(16))
                .map_or(' ', |cell| cell.contents().chars().next().unwrap_or(' '));
            let dark = matches!((block, y % 2), ('█', _) | ('▀', 0) | ('▄', 1));
            image::Luma([if dark { 0 } else { 255 }])
        });
        find_qrs(&picture).into_iter().next()
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
