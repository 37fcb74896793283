//! Formats the values in a text log line. Some come from strangers, such as a label or
//! WhatsApp's reason, so a value cannot begin a line, control the terminal, or fill the disk.

use std::fmt::{self, Write as _};

use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::escape::must_escape;

/// Characters of a value, at most: a line has some, and those of its spans.
pub(super) const LONGEST: usize = 400;

/// `message name=value name=value`, escaped.
pub(super) fn escaped() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        // Of a bridged record: where its source was compiled.
        name if name.starts_with("log.") => return Ok(()),
        name => write!(writer, "{name}=")?,
    }
    write!(Escape { writer, left: LONGEST }, "{value:?}")
}

struct Escape<'a, 'w> {
    writer: &'a mut Writer<'w>,
    /// Characters that still fit.
    left: usize,
}

impl fmt::Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            match self.left {
                0 => return Ok(()),
                1 => self.writer.write_char('…')?,
                _ if must_escape(letter) => write!(self.writer, "{}", letter.escape_unicode())?,
                _ => self.writer.write_char(letter)?,
            }
            self.left -= 1;
        }
        Ok(())
    }
}
