//! What is on the wire: frames, subjects, payloads, and what `subjects.md` says of them.

mod frames;
mod golden;
mod subjects;
mod subjects_md;
mod tables;
