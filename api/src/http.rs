//! HTTP as every route sees it: problems, bodies, parameters, pages, request ids, idempotent
//! creation.

pub(crate) mod accept;
pub(crate) mod arrival;
pub(crate) mod body;
mod codes;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod creation;
pub(crate) mod extract;
mod form;
mod kind;
pub(crate) mod network;
pub(crate) mod outer;
pub(crate) mod page;
pub(crate) mod parameters;
pub(crate) mod peer;
pub(crate) mod problem;
mod protective;
pub(crate) mod proxies;
pub(crate) mod refusals;
pub(crate) mod trace;
mod unstorable;
pub(crate) mod view;
pub(crate) mod wrong_fields;

pub(crate) use body::{Body, read_body};
pub(crate) use creation::Creation;
pub(crate) use extract::{Id, Query};
pub(crate) use page::{Page, Paging, time_and_id};
pub(crate) use problem::{Errors, FieldError, Kind, Problem};
pub(crate) use trace::Trace;
