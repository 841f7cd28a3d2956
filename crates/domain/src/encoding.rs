//! How a text travels by SMS: GSM 03.38 or UCS-2, how many units, how many segments.
//!
//! Count what is sent: after rendering, links, the opt-out line and [`as_sent`], per recipient. One
//! accented letter typed as two code points turns a whole message from GSM-7 into UCS-2.

mod measure;
mod smart;

pub use measure::{
    Encoded, Encoding, EncodingRule, as_sent, count_segments, layout, measure, nfc, septets,
};
pub use smart::{Smart, smart};
