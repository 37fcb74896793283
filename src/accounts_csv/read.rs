//! Reads a file of new accounts, and checks what can be checked without the database.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};
use paird_actors::domain::{OperatorId, Phone};
use uuid::Uuid;

use super::{Mistake, ROWS_MAX};
use crate::{config::device_name, label::checked_label, proxy_address::ProxyAddress, tags::checked_tags};

/// A spreadsheet puts it in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a column of the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Label,
    ExpectPhone,
    Proxy,
    Operator,
    Tags,
    DeviceName,
}

impl Column {
    const ALL: [Self; 6] = [Self::Label, Self::ExpectPhone, Self::Proxy, Self::Operator, Self::Tags, Self::DeviceName];

    fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::ExpectPhone => "expect_phone",
            Self::Proxy => "proxy",
            Self::Operator => "operator",
            Self::Tags => "tags",
            Self::DeviceName => "device_name",
        }
    }

    fn mistake(self, line: u64, detail: impl Into<String>) -> Mistake {
        Mistake { line, column: Some(self.name().to_owned()), detail: detail.into() }
    }
}

/// An account that a file asks for. A text that is empty stands for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewRow {
    pub(crate) line: u64,
    pub(crate) operator: Uuid,
    pub(crate) label: String,
    /// Digits.
    pub(super) phone: String,
    pub(super) proxy: String,
    pub(super) device_name: String,
    pub(super) tags: Vec<String>,
}

impl NewRow {
    pub(super) fn wrong_label(&self, detail: impl Into<String>) -> Mistake {
        Column::Label.mistake(self.line, detail)
    }

    pub(super) fn wrong_phone(&self, detail: impl Into<String>) -> Mistake {
        Column::ExpectPhone.mistake(self.line, detail)
    }
}

/// The rows of a file: UTF-8, its columns named in the first line and separated by commas.
///
/// # Errors
/// Every mistake of the file, by line. After one of the header the rows are not looked at.
pub(crate) fn read(file: &[u8]) -> Result<Vec<NewRow>, Vec<Mistake>> {
    let text = std::str::from_utf8(file).map_err(|wrong| {
        let before = file.get(..wrong.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        vec![of_file(u64::try_from(line).unwrap_or(u64::MAX), "is not UTF-8: save the file as CSV in UTF-8")]
    })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut reader =
        ReaderBuilder::new().trim(Trim::All).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(header) = records.next() else {
        return Err(vec![of_file(1, "the file is empty; its first line names the columns, one of them is label")]);
    };
    let columns = columns(&header.map_err(unreadable)?)?;
    let mut rows = Vec::new();
    let mut mistakes = Vec::new();
    for (nth, record) in records.enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(wrong) => {
                mistakes.extend(unreadable(wrong));
                break;
            }
        };
        let line = line_of(text, &record);
        if nth >= ROWS_MAX {
            mistakes.push(of_file(line, format!("a file has at most {ROWS_MAX} rows")));
            break;
        }
        match row(&columns, &record, line) {
            Ok(row) => rows.push(row),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    if rows.is_empty() && mistakes.is_empty() {
        mistakes.push(of_file(1, "the file has no rows below its header"));
    }
    mistakes.extend(twins(&rows));
    mistakes.sort();
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn columns(header: &StringRecord) -> Result<Vec<Column>, Vec<Mistake>> {
    let mut columns = Vec::new();
    let mut mistakes = Vec::new();
    for name in header {
        match Column::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name)) {
            None => {
                let known = Column::ALL.map(Column::name).join(", ");
                let detail =
                    if name.is_empty() { "a column has no name".to_owned() } else { "is no column".to_owned() };
                let hint = if name.contains([';', '\t']) { "; commas separate columns" } else { "" };
                let column = (!name.is_empty()).then(|| shortened(name));
                mistakes.push(Mistake { line: 1, column, detail: format!("{detail}{hint}; there are: {known}") });
            }
            Some(column) if columns.contains(&column) => mistakes.push(column.mistake(1, "the column is there twice")),
            Some(column) => columns.push(column),
        }
    }
    if !columns.contains(&Column::Label) {
        mistakes.push(Column::Label.mistake(1, "the column is missing"));
    }
    if mistakes.is_empty() { Ok(columns) } else { Err(mistakes) }
}

fn row(columns: &[Column], record: &StringRecord, line: u64) -> Result<NewRow, Vec<Mistake>> {
    if record.len() != columns.len() {
        let detail = format!("the row has {} cells, and the header {}", record.len(), columns.len());
        return Err(vec![of_file(line, detail)]);
    }
    let operator = OperatorId::DEFAULT.0;
    let mut row = NewRow {
        line,
        operator,
        label: String::new(),
        phone: String::new(),
        proxy: String::new(),
        device_name: String::new(),
        tags: Vec::new(),
    };
    let mut mistakes = Vec::new();
    for (column, cell) in columns.iter().zip(record) {
        if let Err(detail) = row.set(*column, cell) {
            mistakes.push(column.mistake(line, detail));
        }
    }
    if mistakes.is_empty() { Ok(row) } else { Err(mistakes) }
}

impl NewRow {
    fn set(&mut self, column: Column, cell: &str) -> Result<(), String> {
        if cell.is_empty() && column != Column::Label {
            return Ok(());
        }
        match column {
            Column::Label => {
                checked_label(cell).map_err(|wrong| wrong.to_string())?.clone_into(&mut self.label);
            }
            Column::ExpectPhone => {
                Phone::parse(cell).map_err(|wrong| wrong.to_string())?.digits().clone_into(&mut self.phone);
            }
            Column::Proxy => self.proxy = ProxyAddress::parse(cell).map_err(|wrong| wrong.to_string())?.to_string(),
            Column::Operator => self.operator = cell.parse::<Uuid>().map_err(|_| "is not a UUID")?,
            Column::Tags => {
                let tags = checked_tags(cell.split(',')).map_err(|wrong| shortened(&wrong.to_string()))?;
                self.tags = tags.into_iter().map(str::to_owned).collect();
            }
            Column::DeviceName => self.device_name = device_name(cell)?,
        }
        Ok(())
    }
}

/// Rows that another row of the file rules out.
fn twins(rows: &[NewRow]) -> Vec<Mistake> {
    let (mut labels, mut numbers) = (HashMap::new(), HashMap::new());
    let mut mistakes = Vec::new();
    for row in rows {
        if let Some(first) = labels.insert((row.operator, row.label.as_str()), row.line) {
            mistakes.push(row.wrong_label(format!("is that of line {first}, too")));
        }
        let number = Phone::from_digits(&row.phone).ok().map(|phone| (row.operator, phone.key()));
        if let Some(first) = number.and_then(|number| numbers.insert(number, row.line)) {
            mistakes.push(row.wrong_phone(format!("is the number of line {first}, too")));
        }
    }
    mistakes
}

/// The line on which a record begins. The reader counts empty lines before it as part of it.
fn line_of(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 1 };
    let rest = usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or_default();
    let skipped = rest.iter().take_while(|byte| b"\r\n".contains(byte)).filter(|byte| **byte == b'\n').count();
    position.line() + u64::try_from(skipped).unwrap_or(0)
}

fn of_file(line: u64, detail: impl Into<String>) -> Mistake {
    Mistake { line, column: None, detail: detail.into() }
}

/// The text is UTF-8 and rows may be of any length, so that little is left to go wrong.
fn unreadable(wrong: csv::Error) -> Vec<Mistake> {
    let line = wrong.position().map_or(1, csv::Position::line);
    vec![of_file(line, format!("cannot be read: {}", shortened(&wrong.to_string())))]
}

/// Short enough for an error line.
fn shortened(text: &str) -> String {
    text.chars().take(100).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(file: &[u8]) -> Vec<(u64, String)> {
        let told =
            |mistake: Mistake| (mistake.line, format!("{}: {}", mistake.column.unwrap_or_default(), mistake.detail));
        read(file).unwrap_err().into_iter().map(told).collect()
    }

    #[track_caller]
    fn is_wrong(file: &[u8], expected: &[(u64, &str)]) {
        let found = wrong(file);
        let fits = found.len() == expected.len()
            && found.iter().zip(expected).all(|((line, words), (at, part))| line == at && words.contains(part));
        assert!(fits, "{found:?}");
    }

    #[test]
    fn a_file_of_a_spreadsheet_is_read() {
        let file = "\u{feff}Label,tags,expect_phone,proxy\r\n\"Desk, front\",\"vip, north\",+43 (0)660 1234567,socks5://Host:1\r\n\
                    \r\n  lobby ,,,\r\n";
        let rows = read(file.as_bytes()).unwrap();
        assert_eq!(
            rows.iter().map(|row| (row.line, row.label.as_str())).collect::<Vec<_>>(),
            [(2, "Desk, front"), (4, "lobby")]
        );
        assert_eq!(rows[0].tags, ["vip", "north"]);
        assert_eq!((rows[0].phone.as_str(), rows[0].proxy.as_str()), ("436601234567", "socks5://host:1"));
        assert_eq!((rows[1].phone.as_str(), rows[1].tags.len()), ("", 0));
    }

    #[test]
    fn every_mistake_is_named_by_its_line_and_column() {
        let file = "label,operator,expect_phone,proxy,device_name,tags\n\
                    desk,me,0660 1,socks5://u:hush@h:1,,\"a,A\"\n\
                    ,,,,,\n\
                    short,\n\
                    lobby,,,,\"two\nlines\",\n\
                    lobby,,+43 660 1234567,,,\n\
                    lobby,,0043 660 1234567,,,\n";
        is_wrong(
            file.as_bytes(),
            &[
                (2, "expect_phone: phone number starts with 0"),
                (2, "operator: is not a UUID"),
                (2, "proxy: the proxy URL contains a user name or a password"),
                (2, "tags: the tag \"A\" is there twice"),
                (3, "label: is empty"),
                (4, "the row has 2 cells, and the header 6"),
                (5, "device_name: has control characters"),
                (8, "expect_phone: is the number of line 7, too"),
                (8, "label: is that of line 7, too"),
            ],
        );
        assert!(!wrong(file.as_bytes()).iter().any(|(_, words)| words.contains("hush")));
    }

    #[test]
    fn a_wrong_header_is_named_column_by_column() {
        is_wrong(b"", &[(1, "the file is empty")]);
        is_wrong(b"label\n", &[(1, "no rows")]);
        is_wrong(b"label;tags\ndesk;vip\n", &[(1, "commas separate columns"), (1, "label: the column is missing")]);
        is_wrong(
            b"label,LABEL,status,\ndesk,x,y,z\n",
            &[(1, "label: the column is there twice"), (1, "status: is no column"), (1, "a column has no name")],
        );
    }

    #[test]
    fn hostile_files_are_refused_without_being_repeated() {
        is_wrong(b"label\nok\n\xff\xfe\n", &[(3, "not UTF-8")]);
        is_wrong(b"label\na\0b\n", &[(2, "label: has control characters")]);
        let cell = [b"label\n".as_slice(), "x".repeat(1024 * 1024).as_bytes()].concat();
        is_wrong(&cell, &[(2, "label: has more than 200 characters")]);
        is_wrong(b"label\n\"never closed\nlobby\n", &[(2, "label: has control characters")]);
        let header = [b"label,".as_slice(), "y".repeat(1024 * 1024).as_bytes(), b"\n"].concat();
        assert!(wrong(&header).iter().all(|(_, words)| words.len() < 400));
    }

    #[test]
    fn a_file_may_have_ten_thousand_rows_and_no_more() {
        let file = |rows: usize| {
            (0..rows).fold("label\n".to_owned(), |file, row| file + &format!("account {row}\n")).into_bytes()
        };
        assert_eq!(read(&file(ROWS_MAX)).unwrap().len(), ROWS_MAX);
        is_wrong(&file(ROWS_MAX + 5), &[(10_002, "at most 10000 rows")]);
    }
}
