//! PAX extended headers: records `LENGTH KEY=VALUE\n`, whose values may be any bytes (pax(1)).

use std::io;

/// The records of the headers before an entry, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    records: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A text ends at its first NUL, where there is one.
pub(super) fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    bytes
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed archive: PAX record {what}"))
}

impl Extended {
    /// Reads the records of one header.
    pub(super) fn add(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() && rest.first() != Some(&0) {
            let space =
                rest.iter().take(12).position(|byte| *byte == b' ').ok_or_else(|| malformed("without length"))?;
            let (digits, _) = rest.split_at(space);
            let length = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
            let length = length.filter(|length| *length > space + 1 && *length <= rest.len());
            let (record, after) = rest.split_at(length.ok_or_else(|| malformed("of a wrong length"))?);
            let text = record.get(space + 1..).and_then(|text| text.strip_suffix(b"\n"));
            let text = text.ok_or_else(|| malformed("of a wrong length"))?;
            let equals = text.iter().position(|byte| *byte == b'=').ok_or_else(|| malformed("without value"))?;
            let (key, value) = text.split_at(equals);
            self.records.push((key.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
            rest = after;
        }
        Ok(())
    }

    /// These records before those of the archive's global header.
    pub(super) fn over(mut self, global: &Extended) -> Extended {
        let all = global.records.iter().cloned().chain(std::mem::take(&mut self.records));
        Extended { records: all.collect() }
    }

    /// The last value of a key. An empty one takes the key back.
    pub(super) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.records.iter().rev().find(|(known, _)| known == key.as_bytes());
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> io::Result<Option<u64>> {
        let Some(value) = self.bytes(key) else { return Ok(None) };
        let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| malformed(&format!("{key} is no number")))
    }

    /// The same as a time, `SECONDS[.FRACTION]`, which may lie before 1970.
    pub(super) fn time(&self, key: &str) -> io::Result<Option<(i64, u32)>> {
        let Some(value) = self.bytes(key) else { return Ok(None) };
        let wrong = || malformed(&format!("{key} is no time"));
        let text = std::str::from_utf8(&value).map_err(|_| wrong())?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds: i64 = whole.parse().map_err(|_| wrong())?;
        let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        let nanoseconds: u32 = digits.parse().map_err(|_| wrong())?;
        // -1.25 is a quarter of a second before -1; the kernel counts nanoseconds forward.
        Ok(Some(match (whole.starts_with('-'), nanoseconds) {
            (true, 1..) => (seconds - 1, 1_000_000_000 - nanoseconds),
            _ => (seconds, nanoseconds),
        }))
    }

    /// Extended attributes: `SCHILY.xattr.NAME`. As with every key, an empty value takes it back (pax(1)), so that an
    /// attribute without a value cannot be told; engines that read layers agree on that.
    pub(super) fn xattrs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (key, value) in &self.records {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                all.retain(|(known, _)| known != name);
                all.push((name.to_vec(), value.clone()));
            }
        }
        all.retain(|(_, value)| !value.is_empty());
        all
    }

    /// Sparse 0.0 (a record for each number) and 0.1 (all of them in one).
    pub(super) fn sparse_map(&self) -> io::Result<Vec<(u64, u64)>> {
        let texts: Vec<Vec<u8>> = match self.bytes("GNU.sparse.map") {
            Some(map) => map.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect(),
            None => {
                let piece = |key: &[u8]| key == b"GNU.sparse.offset" || key == b"GNU.sparse.numbytes";
                self.records.iter().filter(|(key, _)| piece(key)).map(|(_, value)| value.clone()).collect()
            }
        };
        let number = |text: &Vec<u8>| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        let numbers: Option<Vec<u64>> = texts.iter().map(number).collect();
        let numbers = numbers.ok_or_else(|| malformed("GNU.sparse.map is no list of numbers"))?;
        Ok(numbers.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_the_last_one_counts() {
        let mut extended = Extended::default();
        extended.add(b"9 path=a\n9 path=b\n22 mtime=1.5\n").unwrap_err();
        let mut extended = Extended::default();
        extended.add(b"9 path=a\n9 path=b\n13 mtime=1.5\n20 SCHILY.xattr.u=\n\n").unwrap();
        extended.add(b"20 SCHILY.xattr.v=1\n19 SCHILY.xattr.v=\n").unwrap();
        assert_eq!(extended.bytes("path").unwrap(), b"b");
        assert_eq!(extended.time("mtime").unwrap(), Some((1, 500_000_000)));
        assert_eq!(extended.xattrs(), [(b"u".to_vec(), b"\n".to_vec())]);
    }

    #[test]
    fn broken_records_are_errors() {
        for text in ["x", "5 a=b", "999 a=b\n", "6 abc\n", "0 a=b\n", "99999999999999999999 a=b\n"] {
            assert!(Extended::default().add(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_before_1970_count_backwards() {
        let mut extended = Extended::default();
        extended.add(b"15 mtime=-1.25\n").unwrap();
        assert_eq!(extended.time("mtime").unwrap(), Some((-2, 750_000_000)));
    }
}
