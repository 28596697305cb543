//! CSV as RFC 4180 has it, splitting records itself: an unquoted empty field is NULL and a quoted one is empty text, and
//! the usual parsers do not tell them apart.
//!
//! Records end with LF, CRLF or CR; blank lines are skipped; a quoted field may hold commas, line ends and doubled
//! quotes. A quote inside an unquoted field is text. What follows a closing quote must be a comma or a line end;
//! anything else makes the record malformed, and reading goes on with the next line. A record is at most
//! [`MAX_RECORD`] bytes long, so that a quote that is never closed does not swallow the file.

use std::io::Read;

use super::SourceError;

/// Longest record in bytes.
pub(crate) const MAX_RECORD: usize = 1 << 20;

const CHUNK: usize = 256 << 10;

/// Where a field lies in the buffer.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    quoted: bool,
}

/// What [`CsvReader::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    /// A record; its fields can be asked for.
    Fields,
    /// Text after a closing quote.
    Malformed,
    /// The end of the file.
    End,
}

/// Splits a byte stream into records.
pub(crate) struct CsvReader<R> {
    input: R,
    buffer: Vec<u8>,
    /// Unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    at_end: bool,
    fields: Vec<Field>,
    /// Line on which the next record begins.
    next_line: u64,
    /// Line on which the current record begins, from 1.
    line: u64,
}

/// What a scan of the buffer found.
enum Scan {
    /// A record, and where the next begins.
    Done {
        next: usize,
        lines: u64,
        escapes: bool,
        malformed: bool,
    },
    /// The buffer ends within a record.
    More { quoted: bool },
}

impl<R: Read> CsvReader<R> {
    /// Reads from `input`; a byte order mark at its start is skipped.
    pub(crate) fn new(input: R) -> Result<Self, SourceError> {
        let mut reader = CsvReader {
            input,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            at_end: false,
            fields: Vec::new(),
            next_line: 1,
            line: 1,
        };
        while reader.end < 3 && !reader.at_end {
            reader.fill()?;
        }
        if reader.buffer.starts_with(b"\xEF\xBB\xBF") && reader.end >= 3 {
            reader.start = 3;
        }
        Ok(reader)
    }

    /// Goes to the next record.
    pub(crate) fn next(&mut self) -> Result<Record, SourceError> {
        self.skip_blank_lines()?;
        if self.start == self.end {
            return Ok(Record::End);
        }
        loop {
            match self.scan() {
                Scan::Done {
                    next,
                    lines,
                    escapes,
                    malformed,
                } => {
                    self.line = self.next_line;
                    self.next_line += lines;
                    self.start = next;
                    if escapes {
                        self.unescape();
                    }
                    return Ok(if malformed {
                        Record::Malformed
                    } else {
                        Record::Fields
                    });
                }
                Scan::More { quoted } => {
                    if self.end - self.start > MAX_RECORD {
                        return Err(SourceError::TooLong {
                            line: self.next_line,
                            quoted,
                        });
                    }
                    if self.at_end {
                        return Err(SourceError::OpenQuote { line: self.next_line });
                    }
                    self.fill()?;
                }
            }
        }
    }

    /// Line on which the current record begins, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Fields of the current record.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field of the current record: `None` is NULL (empty and not quoted) or not there.
    pub(crate) fn field(&self, index: usize) -> Option<&[u8]> {
        let field = self.fields.get(index)?;
        let bytes = self.buffer.get(field.start..field.end)?;
        if bytes.is_empty() && !field.quoted {
            None
        } else {
            Some(bytes)
        }
    }

    fn skip_blank_lines(&mut self) -> Result<(), SourceError> {
        loop {
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            match rest {
                [b'\n', ..] => self.start += 1,
                [b'\r', b'\n', ..] => self.start += 2,
                [b'\r'] if !self.at_end => {
                    self.fill()?;
                    continue;
                }
                [b'\r', ..] => self.start += 1,
                [] if !self.at_end => {
                    self.fill()?;
                    continue;
                }
                _ => return Ok(()),
            }
            self.next_line += 1;
        }
    }

    /// Reads more behind the unread bytes, which move to the front of the buffer.
    fn fill(&mut self) -> Result<(), SourceError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() + CHUNK, 0);
        }
        let Some(space) = self.buffer.get_mut(self.end..) else {
            return Ok(());
        };
        loop {
            match self.input.read(space) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SourceError::Read(error)),
            }
            return Ok(());
        }
    }

    fn scan(&mut self) -> Scan {
        let Some(bytes) = self.buffer.get(..self.end) else {
            return Scan::More { quoted: false };
        };
        self.fields.clear();
        let mut at = self.start;
        let mut lines = 0;
        let mut escapes = false;
        loop {
            // One field; `at` ends on what follows it.
            let quoted = bytes.get(at) == Some(&b'"');
            if quoted {
                let start = at + 1;
                at = start;
                loop {
                    let Some(length) = bytes
                        .get(at..)
                        .and_then(|rest| rest.iter().position(|b| *b == b'"'))
                    else {
                        return Scan::More { quoted: true };
                    };
                    lines += line_ends(bytes.get(at..at + length).unwrap_or_default());
                    at += length + 1;
                    if bytes.get(at) != Some(&b'"') {
                        break;
                    }
                    escapes = true;
                    at += 1;
                }
                self.fields.push(Field {
                    start,
                    end: at - 1,
                    quoted,
                });
            } else {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest
                    .iter()
                    .position(|b| matches!(b, b',' | b'\n' | b'\r'))
                    .unwrap_or(rest.len());
                self.fields.push(Field {
                    start: at,
                    end: at + length,
                    quoted,
                });
                at += length;
            }
            match bytes.get(at) {
                Some(b',') => at += 1,
                None if !self.at_end => return Scan::More { quoted: false },
                None => {
                    return Scan::Done {
                        next: at,
                        lines: lines + 1,
                        escapes,
                        malformed: false,
                    };
                }
                Some(b'\n') => {
                    return Scan::Done {
                        next: at + 1,
                        lines: lines + 1,
                        escapes,
                        malformed: false,
                    };
                }
                Some(b'\r') => {
                    let next = match bytes.get(at + 1) {
                        Some(b'\n') => at + 2,
                        None if !self.at_end => return Scan::More { quoted: false },
                        Some(_) | None => at + 1,
                    };
                    return Scan::Done {
                        next,
                        lines: lines + 1,
                        escapes,
                        malformed: false,
                    };
                }
                Some(_) => {
                    // Text after a closing quote: give the line up.
                    let rest = bytes.get(at..).unwrap_or_default();
                    return match rest.iter().position(|b| *b == b'\n') {
                        Some(length) => Scan::Done {
                            next: at + length + 1,
                            lines: lines + 1,
                            escapes: false,
                            malformed: true,
                        },
                        None if self.at_end => Scan::Done {
                            next: self.end,
                            lines: lines + 1,
                            escapes: false,
                            malformed: true,
                        },
                        None => Scan::More { quoted: false },
                    };
                }
            }
        }
    }

    /// Makes one quote of two within the quoted fields of the current record, in place.
    fn unescape(&mut self) {
        for field in self.fields.iter_mut().filter(|field| field.quoted) {
            let Some(bytes) = self.buffer.get_mut(field.start..field.end) else {
                continue;
            };
            let mut kept = 0;
            let mut at = 0;
            while let Some(byte) = bytes.get(at).copied() {
                if let Some(target) = bytes.get_mut(kept) {
                    *target = byte;
                }
                kept += 1;
                at += if byte == b'"' { 2 } else { 1 };
            }
            field.end = field.start + kept;
        }
    }
}

/// Line ends within a quoted field: LF, or CR without LF.
fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    let mut previous = 0;
    for byte in bytes {
        count += u64::from(*byte == b'\r' || (*byte == b'\n' && previous != b'\r'));
        previous = *byte;
    }
    count
}

#[cfg(test)]
mod tests;
