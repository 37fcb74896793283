//! Shortens long values in JSON log lines, so that text from others cannot fill the disk and
//! each line is still valid JSON.

use std::io::{self, Write};

use serde_json::Value;

use super::fields::LONGEST;

/// No line that holds our own words alone is as long.
const LONG_LINE: usize = 4096;

/// A writer for each line.
pub(super) fn stderr() -> Shortening<io::Stderr> {
    Shortening(io::stderr())
}

/// Gets each line by one call, as the log's layer writes it.
pub(super) struct Shortening<W>(pub(super) W);

impl<W: Write> Write for Shortening<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if line.len() <= LONG_LINE {
            self.0.write_all(line)?;
        } else if let Ok(mut value) = serde_json::from_slice::<Value>(line) {
            shorten(&mut value);
            self.0.write_all(format!("{value}\n").as_bytes())?;
        } else {
            self.0.write_all(b"{\"level\":\"ERROR\",\"message\":\"a line that was too long was left out\"}\n")?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
