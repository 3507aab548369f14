//! What a JWT (RFC 7519) says about its own life. It is read, never verified, and trusted no further than that.

use crate::time::NumericDate;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// base64url (RFC 4648 §5). Servers differ in padding, and the bits after the last byte carry nothing.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The two claims that tell a token's life.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Claims {
    /// Issued at (§4.1.6).
    pub iat: Option<NumericDate>,
    /// Expiration time (§4.1.4).
    pub exp: Option<NumericDate>,
}

impl Claims {
    /// The whole life of a token with these claims, in seconds: from `iat` to the earlier of both ends. `None` without `iat`.
    #[must_use]
    pub fn life_s(self, exp: NumericDate) -> Option<f64> {
        self.iat.map(|iat| self.exp.map_or(f64::INFINITY, |end| end.since(iat)).min(exp.since(iat)))
    }
}

/// The payload of a JWT, decoded: JSON in UTF-8, if the token is what it seems to be. `None` if it is no JWT.
///
/// ```
/// use digitalpaye_auth::jwt::payload;
///
/// assert_eq!(payload("e30.eyJpYXQiOjF9.c2ln").as_deref().map(Vec::as_slice), Some(&br#"{"iat":1}"#[..]));
/// assert!(payload("opaque").is_none());
/// ```
#[must_use]
pub fn payload(token: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut parts = token.as_bytes().split(|&byte| byte == b'.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    // Room for all from the start: a buffer that grew would leave a copy behind that nobody overwrites.
    let mut bytes = Zeroizing::new(vec![0; payload.len().div_ceil(4) * 3]);
    let mut places = bytes.chunks_mut(3);
    let mut length = 0;
    // By groups: the crate's loop for long inputs is left out of the module then.
    for group in payload.chunks(4) {
        if length % 3 != 0 {
            // Something follows what padding marked as the end.
            return None;
        }
        length += BASE64URL.decode_slice(group, places.next()?).ok()?;
    }
    bytes.truncate(length);
    Some(bytes)
}
