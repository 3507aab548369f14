//! Base64 (RFC 4648), as far as the exchange needs it: the encoding of HTTP Basic, the decoding of a JWT.
//!
//! Thirty lines of our own, because the crates for it, made for speed or for more alphabets, are 1.8 KB of a brotli
//! bundle. One of them is what the tests compare this with.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Appends `bytes` in the alphabet of §4, padded. A text with `4 * bytes.len().div_ceil(3)` bytes of room does not grow.
pub fn encode(bytes: &[u8], text: &mut String) {
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for index in 0..4 {
            text.push(if index > group.len() { '=' } else { character(bits >> (18 - 6 * index) & 63) });
        }
    }
}

/// The bytes of a text in the alphabet of §5, which is that of URLs; `None` if it is not that. Servers differ in padding,
/// and the bits after the last byte carry nothing.
#[must_use]
pub fn decode_url(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = unpadded(text);
    if text.len() % 4 == 1 {
        return None;
    }
    // Room for all: a buffer that grew would leave a copy behind that nobody overwrites.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bits = 0;
    for (index, &character) in text.iter().enumerate() {
        bits = bits << 6 | value(character)?;
        if index % 4 != 0 {
            #[allow(clippy::cast_possible_truncation)]
            bytes.push((bits >> (6 - 2 * (index % 4))) as u8);
        }
    }
    Some(bytes)
}

/// A text without the `=` at its end.
#[must_use]
pub fn unpadded(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

fn character(value: u32) -> char {
    #[allow(clippy::cast_possible_truncation)]
    let value = value as u8;
    char::from(match value {
        0..26 => b'A' + value,
        26..52 => b'a' + value - 26,
        52..62 => b'0' + value - 52,
        62 => b'+',
        _ => b'/',
    })
}

fn value(character: u8) -> Option<u32> {
    Some(u32::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    }))
}
