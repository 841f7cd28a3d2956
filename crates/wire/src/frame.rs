//! Frames: the unit of flow on a hop. A frame is a JSON array of 1 to 256 payloads, at most
//! 256 KiB, of one subject.

use domain::ids::TenantId;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::subject::Subject;

/// How many messages a frame holds at most.
pub const MAX_MESSAGES: usize = 256;

/// How many bytes a frame holds at most. A single payload is smaller by the limits of the API.
pub const MAX_BYTES: usize = 256 * 1024;

/// What travels in frames.
pub trait Payload: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// What names this payload: a repeat of it has the same key.
    fn key(&self) -> MemberKey;

    /// The tenant that it belongs to; none where only its content can tell.
    fn tenant(&self) -> Option<&TenantId>;

    /// The W3C `traceparent` of the request that began it, if one did.
    fn trace(&self) -> Option<&str> {
        None
    }
}

/// The identity of one payload: who, which turn, which content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// The message's or event's id.
    pub id: Uuid,
    /// How often it has been released into the pipe; 1 for what has no turns.
    pub turn: u32,
    /// A hash of what it says, so that another body under the same id is another frame.
    pub body: u64,
}

impl MemberKey {
    /// A key of something that has no turns and whose id names its content.
    pub fn of(id: Uuid) -> Self {
        Self { id, turn: 1, body: 0 }
    }
}

/// One payload, encoded and addressed, on its way into a frame.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where it goes.
    pub subject: Subject,
    /// What names it.
    pub key: MemberKey,
    /// The trace it belongs to.
    pub trace: Option<String>,
    /// Its JSON.
    pub json: Vec<u8>,
}

impl Outgoing {
    /// Encodes a payload for a subject.
    pub fn new<P: Payload>(subject: Subject, payload: &P) -> Self {
        let json = serde_json::to_vec(payload).expect("payloads are plain data with string keys");
        Self { subject, key: payload.key(), trace: payload.trace().map(Into::into), json }
    }
}

/// One frame, ready to publish.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where it goes.
    pub subject: Subject,
    /// `Nats-Msg-Id`: names the content, so that only an identical frame is dropped.
    pub id: String,
    /// The trace of its first member, for the broker's own tools.
    pub trace: Option<String>,
    /// How many payloads it holds.
    pub len: usize,
    /// The JSON array.
    pub bytes: Vec<u8>,
}

/// Packs payloads of one subject, in their order, into as few frames as the limits allow.
/// `by` is the stage that says them.
pub fn pack(by: &str, subject: &Subject, members: &[Outgoing]) -> Vec<Frame> {
    if !subject.stream().is_framed() {
        return members.iter().map(|member| alone(by, subject, member)).collect();
    }
    let mut frames = Vec::with_capacity(members.len() / MAX_MESSAGES + 1);
    let mut start = 0;
    let mut bytes = 2;
    for (at, member) in members.iter().enumerate() {
        let full = at - start == MAX_MESSAGES || bytes + member.json.len() + 1 > MAX_BYTES;
        if at > start && full {
            frames.push(seal(by, subject, &members[start..at]));
            start = at;
            bytes = 2;
        }
        bytes += member.json.len() + 1;
    }
    if start < members.len() {
        frames.push(seal(by, subject, &members[start..]));
    }
    frames
}

fn seal(by: &str, subject: &Subject, members: &[Outgoing]) -> Frame {
    let mut hash = Sha256::new();
    hash.update(by.as_bytes());
    hash.update([0]);
    hash.update(subject.to_string().as_bytes());
    let size = members.iter().map(|m| m.json.len() + 1).sum::<usize>() + 1;
    let mut bytes = Vec::with_capacity(size);
    for member in members {
        hash.update(member.key.id.as_bytes());
        hash.update(member.key.turn.to_be_bytes());
        hash.update(member.key.body.to_be_bytes());
        bytes.push(if bytes.is_empty() { b'[' } else { b',' });
        bytes.extend_from_slice(&member.json);
    }
    bytes.push(b']');
    let id = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        &hash.finalize()[..16],
    );
    let trace = members.iter().find_map(|m| m.trace.clone());
    Frame { subject: subject.clone(), id, trace, len: members.len(), bytes }
}

fn alone(by: &str, subject: &Subject, member: &Outgoing) -> Frame {
    let mut frame = seal(by, subject, std::slice::from_ref(member));
    frame.bytes = member.json.clone();
    frame
}

/// Reads a frame's members apart, so that one that cannot be decoded does not hold the others.
///
/// # Errors
/// When the frame as a whole is no JSON array of at most [`MAX_MESSAGES`] members.
pub fn unpack<P: Payload>(bytes: &[u8]) -> Result<Vec<Result<P, Undecodable>>, FrameError> {
    if let Ok(all) = serde_json::from_slice::<Vec<P>>(bytes) {
        return if all.is_empty() || all.len() > MAX_MESSAGES {
            Err(FrameError::Size(all.len()))
        } else {
            Ok(all.into_iter().map(Ok).collect())
        };
    }
    let parts: Vec<&serde_json::value::RawValue> = serde_json::from_slice(bytes)?;
    if parts.is_empty() || parts.len() > MAX_MESSAGES {
        return Err(FrameError::Size(parts.len()));
    }
    let decode = |part: &serde_json::value::RawValue| {
        serde_json::from_str(part.get())
            .map_err(|why| Undecodable { bytes: part.get().into(), why: place(&why) })
    };
    Ok(parts.into_iter().map(decode).collect())
}

/// What a decoder objected to and where, without the value itself: that may be a text or a number.
pub fn place(why: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", why.classify(), why.line(), why.column())
}

/// A member that is JSON but not the payload expected.
#[derive(Debug, Clone)]
pub struct Undecodable {
    /// The member as it was.
    pub bytes: String,
    /// Where the decoder stopped; never the value itself.
    pub why: String,
}

/// Why a frame could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is not a JSON array.
    #[error("not a JSON array: {0}")]
    Json(#[from] serde_json::Error),
    /// It is empty or too long.
    #[error("a frame holds 1 to 256 members, this one {0}")]
    Size(usize),
}
