//! Contacts from a CSV file: read as a stream, in steps of 1,000 lines, each a transaction. The
//! preview is the same run without the writing.

mod field;
mod mapping;
mod reader;
mod run;
mod upload;

pub(crate) use mapping::Column;
pub(crate) use run::{CountsView, LineOutcome, Report, Run, Target};
pub(crate) use upload::{Upload, receive};
