//! Tames text from others in JSON log lines, which people read in terminals, too: long values
//! are shortened, so that they cannot fill the disk, and what a terminal would act on is
//! escaped. Each line stays valid JSON.

use std::io::{self, Write};

use serde_json::Value;

use super::fields::LONGEST;
use crate::escape::escaped_json;

/// No line that holds our own words alone is as long.
const LONG_LINE: usize = 4096;
const LEFT_OUT: &str = "{\"level\":\"ERROR\",\"message\":\"a line that cannot be read was left out\"}\n";

/// A writer for each line.
pub(super) fn stderr() -> Taming<io::Stderr> {
    Taming(io::stderr())
}

/// Gets each line by one call, as the log's layer writes it.
pub(super) struct Taming<W>(pub(super) W);

impl<W: Write> Write for Taming<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(tamed(line).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn tamed(line: &[u8]) -> String {
    let short = match std::str::from_utf8(line).map(|line| line.trim_end_matches('\n')) {
        Ok(line) if line.len() <= LONG_LINE => Some(line.to_owned()),
        Ok(line) => serde_json::from_str(line).ok().map(|mut value| {
            shorten(&mut value);
            value.to_string()
        }),
        Err(_) => None,
    };
    match short {
        Some(line) => escaped_json(&line) + "\n",
        None => LEFT_OUT.to_owned(),
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
