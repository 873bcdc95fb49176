//! Output cut at the borders of characters.

use std::borrow::Cow;

/// Holds back a character that a piece of output ends in, until the rest of it comes.
///
/// vte 0.15 keeps such a rest itself, but then loses control characters that follow it closely (`é\r文`, cut within
/// the first character, loses its carriage return).
#[derive(Debug, Default)]
pub(super) struct Whole {
    held: Vec<u8>,
}

impl Whole {
    /// Gives what was held and this piece, without the incomplete character at its end.
    pub(super) fn join<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut joined = if self.held.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            self.held.extend_from_slice(bytes);
            Cow::Owned(std::mem::take(&mut self.held))
        };
        let complete = joined.len() - incomplete(&joined);
        self.held.extend_from_slice(&joined[complete..]);
        match &mut joined {
            Cow::Borrowed(bytes) => *bytes = &bytes[..complete],
            Cow::Owned(bytes) => bytes.truncate(complete),
        }
        joined
    }
}

/// The length of the character that has begun at the end but could still be completed: 0 to 3 bytes.
fn incomplete(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    let begins = last.iter().rposition(|byte| *byte >= 0xc0);
    begins.map_or(0, |at| match std::str::from_utf8(&last[at..]) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => last.len() - at,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_character_that_can_still_be_completed_is_held() {
        for (text, held) in [("abc", 0), ("", 0), ("é", 0), ("\u{10348}", 0)] {
            assert_eq!(incomplete(text.as_bytes()), held);
        }
        assert_eq!(incomplete(&"文".as_bytes()[..2]), 2);
        assert_eq!(incomplete(&"\u{10348}".as_bytes()[..3]), 3);
        assert_eq!(incomplete(b"\xe6"), 1);
        assert_eq!(incomplete(b"\xe6\x96\x1b"), 0);
        assert_eq!(incomplete(b"\x96\x96\x96"), 0);
        assert_eq!(incomplete(b"\xff"), 0);
    }

    #[test]
    fn pieces_join_to_what_they_were_cut_from() {
        let text = "aé文\u{10348}\r文z".as_bytes();
        let mut whole = Whole::default();
        let joined: Vec<u8> = text.iter().flat_map(|byte| whole.join(&[*byte]).into_owned()).collect();
        assert_eq!(joined, text);
    }
}
