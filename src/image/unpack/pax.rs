//! PAX extended headers: records `LENGTH KEY=VALUE\n`, whose values may be any bytes (pax(1)).

use std::{collections::BTreeMap, io};

/// What the keys of extended attributes begin with.
const XATTR: &[u8] = b"SCHILY.xattr.";
/// Keys that mean something here; the others are not kept. What ends in a dot begins many keys.
const KEYS: [&str; 8] = ["path", "linkpath", "size", "uid", "gid", "mtime", "SCHILY.xattr.", "GNU.sparse."];
/// These come once for each piece of a file, in pairs.
const PAIRS: [&str; 2] = ["GNU.sparse.offset", "GNU.sparse.numbytes"];

/// What is kept of the records of one or several headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The values of [`PAIRS`], in order.
    pairs: Vec<Vec<u8>>,
    /// How many bytes that are.
    size: u64,
}

/// The records that count for an entry: its own before those of the archive's global headers.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    pub own: &'a Extended,
    pub global: &'a Extended,
}

/// Whether a file has holes, and where it is told what lies between them.
pub(super) enum Sparse {
    Not,
    /// Before the content (1.0); the file's size in bytes.
    Before(u64),
    /// In records (0.0 and 0.1): size, and offset and length of each piece.
    Map(u64, Vec<(u64, u64)>),
}

/// A text ends at its first NUL, where there is one.
pub(super) fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    bytes
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed archive: PAX record{what}"))
}

impl Extended {
    /// Reads the records of one header. Of one key the last one counts; all that are kept have at most `limit` bytes.
    pub(super) fn add(&mut self, mut rest: &[u8], limit: u64) -> io::Result<()> {
        while !rest.is_empty() && rest.first() != Some(&0) {
            let space =
                rest.iter().take(12).position(|byte| *byte == b' ').ok_or_else(|| malformed(" without length"))?;
            let (digits, _) = rest.split_at(space);
            let length = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
            let length = length.filter(|length| *length > space + 1 && *length <= rest.len());
            let (record, after) = rest.split_at(length.ok_or_else(|| malformed(" of a wrong length"))?);
            let text = record.get(space + 1..).and_then(|text| text.strip_suffix(b"\n"));
            let text = text.ok_or_else(|| malformed(" of a wrong length"))?;
            let equals = text.iter().position(|byte| *byte == b'=').ok_or_else(|| malformed(" without value"))?;
            let (key, value) = text.split_at(equals);
            self.keep(key, value.get(1..).unwrap_or_default());
            if self.size > limit {
                return Err(malformed(&format!("s of more than {limit} bytes in all")));
            }
            rest = after;
        }
        Ok(())
    }

    fn keep(&mut self, key: &[u8], value: &[u8]) {
        let wanted =
            |known: &&str| key == known.as_bytes() || (known.ends_with('.') && key.starts_with(known.as_bytes()));
        if !KEYS.iter().any(wanted) {
            return;
        }
        self.size += (key.len() + value.len()) as u64;
        if PAIRS.iter().any(|known| key == known.as_bytes()) {
            self.pairs.push(value.to_vec());
        } else if let Some(old) = self.records.insert(key.to_vec(), value.to_vec()) {
            self.size -= (key.len() + old.len()) as u64;
        }
    }
}

impl Records<'_> {
    /// The last value of a key. An empty one takes the key back.
    pub(super) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.own.records.get(key.as_bytes()).or_else(|| self.global.records.get(key.as_bytes()));
        found.cloned().filter(|value| !value.is_empty())
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> io::Result<Option<u64>> {
        let Some(value) = self.bytes(key) else { return Ok(None) };
        let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| malformed(&format!(": {key} is not a number")))
    }

    /// The same as a time, `SECONDS[.FRACTION]`, which may lie before 1970.
    pub(super) fn time(&self, key: &str) -> io::Result<Option<(i64, u32)>> {
        let Some(value) = self.bytes(key) else { return Ok(None) };
        let wrong = || malformed(&format!(": {key} is not a time"));
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
        let of = |from: &Extended| {
            let from = from.records.range(XATTR.to_vec()..).take_while(|(key, _)| key.starts_with(XATTR));
            from.map(|(key, value)| (key.get(XATTR.len()..).unwrap_or_default().to_vec(), value.clone())).collect()
        };
        let mut all: BTreeMap<Vec<u8>, Vec<u8>> = of(self.global);
        all.extend(of(self.own));
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Whether it is a file with holes.
    pub(super) fn sparse(&self) -> io::Result<Sparse> {
        if let Some(size) = self.number("GNU.sparse.realsize")? {
            return Ok(Sparse::Before(size));
        }
        let size = self.number("GNU.sparse.size")?;
        size.map_or(Ok(Sparse::Not), |size| Ok(Sparse::Map(size, self.sparse_map()?)))
    }

    /// Sparse 0.0 (a record for each number) and 0.1 (all of them in one).
    fn sparse_map(&self) -> io::Result<Vec<(u64, u64)>> {
        let texts: Vec<Vec<u8>> = match self.bytes("GNU.sparse.map") {
            Some(map) => map.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect(),
            None => self.own.pairs.clone(),
        };
        let number = |text: &Vec<u8>| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        let numbers: Option<Vec<u64>> = texts.iter().map(number).collect();
        let numbers = numbers.ok_or_else(|| malformed(": GNU.sparse.map is not a list of numbers"))?;
        Ok(numbers.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&[u8]], limit: u64) -> io::Result<Extended> {
        let mut extended = Extended::default();
        headers.iter().try_for_each(|header| extended.add(header, limit))?;
        Ok(extended)
    }

    fn alone(own: &Extended) -> Records<'_> {
        static NONE: Extended = Extended { records: BTreeMap::new(), pairs: Vec::new(), size: 0 };
        Records { own, global: &NONE }
    }

    #[test]
    fn records_are_read_and_the_last_one_counts() {
        read(&[b"9 path=a\n9 path=b\n22 mtime=1.5\n"], 100).unwrap_err();
        let headers: [&[u8]; 2] =
            [b"9 path=a\n9 path=b\n13 mtime=1.5\n20 SCHILY.xattr.u=\n\n", b"20 SCHILY.xattr.v=1\n19 SCHILY.xattr.v=\n"];
        let own = read(&headers, 100).unwrap();
        let extended = alone(&own);
        assert_eq!(extended.bytes("path").unwrap(), b"b");
        assert_eq!(extended.time("mtime").unwrap(), Some((1, 500_000_000)));
        assert_eq!(extended.xattrs(), [(b"u".to_vec(), b"\n".to_vec())]);
    }

    #[test]
    fn records_of_an_entry_count_before_those_of_all() {
        let own = read(&[b"10 gid=70\n7 uid=\n20 SCHILY.xattr.a=1\n19 SCHILY.xattr.b=\n"], 100).unwrap();
        let global = read(&[b"8 uid=7\n8 gid=8\n20 SCHILY.xattr.b=2\n20 SCHILY.xattr.c=3\n"], 100).unwrap();
        let both = Records { own: &own, global: &global };
        assert_eq!((both.number("gid").unwrap(), both.number("uid").unwrap()), (Some(70), None));
        let names: Vec<Vec<u8>> = both.xattrs().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [b"a".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn what_is_kept_has_a_bound_and_what_means_nothing_is_not_kept() {
        let comment = [b"1000011 comment=".as_slice(), &vec![b'x'; 999_994], b"\n"].concat();
        assert_eq!(comment.len(), 1_000_011);
        let kept = read(&[&comment, &comment, &comment], 100).unwrap();
        assert_eq!(kept.size, 0);
        // The same key again takes the place of the old value, but keys of which all count add up.
        assert_eq!(read(&[b"9 path=a\n".as_slice()].repeat(1000), 5).unwrap().size, 5);
        let pair: &[u8] = b"23 GNU.sparse.offset=0\n";
        assert!(read(&[pair; 5], 100).is_ok());
        let error = read(&[pair; 50], 100).map(drop).unwrap_err().to_string();
        assert!(error.contains("more than 100 bytes"), "{error}");
    }

    #[test]
    fn broken_records_are_errors() {
        for text in ["x", "5 a=b", "999 a=b\n", "6 abc\n", "0 a=b\n", "99999999999999999999 a=b\n"] {
            assert!(Extended::default().add(text.as_bytes(), 100).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_before_1970_count_backwards() {
        let own = read(&[b"15 mtime=-1.25\n"], 100).unwrap();
        assert_eq!(alone(&own).time("mtime").unwrap(), Some((-2, 750_000_000)));
    }
}
