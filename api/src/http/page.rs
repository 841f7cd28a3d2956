//! Lists in pages: `?limit=&cursor=` in, `{data, next_cursor}` out. A cursor is the key of the last
//! row, so that rows which come or go in between neither repeat nor hide others.

use std::{borrow::Cow, fmt::Display};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::storable::is_storable;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    __dev::ComposeSchema,
    IntoParams, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    },
};
use uuid::Uuid;

use super::problem::Problem;

/// How many rows a page has where the caller does not say, and at most.
const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 1_000;

/// The part of a list that a caller asks for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many rows, 1 to 1,000; 50 where it is not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, example = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(max_length = 1000)]
    cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    /// The `cursor` of the next page; none at the end.
    next_cursor: Option<String>,
}

/// Written out, as a derived one repeats the schema of its rows instead of naming it.
impl<T: ToSchema> ComposeSchema for Page<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let rows = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .description(Some("The rows of this page."));
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .max_length(Some(1_000))
            .description(Some(NEXT_CURSOR));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("data", rows)
            .required("data")
            .property("next_cursor", next_cursor)
            .required("next_cursor")
            .into()
    }
}

const NEXT_CURSOR: &str = "The `cursor` of the next page; null at the end. A page may be short, \
    or empty, before it.";

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        "Page".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl Paging {
    /// How many rows, 1 to 1,000.
    pub(crate) fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.as_deref().map_or(Ok(DEFAULT_LIMIT), str::parse);
        match limit {
            Ok(limit @ 1..=MOST) => Ok(i64::from(limit)),
            Ok(_) | Err(_) => {
                Err(Problem::field("limit", "out_of_range", "a number from 1 to 1000"))
            }
        }
    }

    /// The key of the last row seen.
    pub(crate) fn after_text(&self) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.filter(|text| is_storable(text)).map(Some).ok_or_else(bad_cursor)
    }

    /// The key of the last row seen, where keys are ids.
    pub(crate) fn after_id(&self) -> Result<Uuid, Problem> {
        let Some(text) = self.after_text()? else { return Ok(Uuid::nil()) };
        text.parse().map_err(|_| bad_cursor())
    }

    /// The key of the last row seen, where keys are phone numbers with their channel.
    pub(crate) fn after_number_and_channel(&self) -> Result<(String, String), Problem> {
        let Some(text) = self.after_text()? else { return Ok(Default::default()) };
        let (number, channel) = text.split_once(' ').ok_or_else(bad_cursor)?;
        Ok((number.to_owned(), channel.to_owned()))
    }

    /// The key of the last row seen, where keys are times with an id ([`time_and_id`]).
    pub(crate) fn after_time_and_id(&self) -> Result<Option<(Timestamp, Uuid)>, Problem> {
        let Some(text) = self.after_text()? else { return Ok(None) };
        let read = |(at, id): (&str, &str)| Some((at.parse().ok()?, id.parse().ok()?));
        text.split_once(' ').and_then(read).map(Some).ok_or_else(bad_cursor)
    }

    /// The key of the last row seen, where keys are times with a word and an id.
    pub(crate) fn after_time_word_and_id(
        &self,
    ) -> Result<Option<(Timestamp, String, Uuid)>, Problem> {
        let Some(text) = self.after_text()? else { return Ok(None) };
        let mut parts = text.splitn(3, ' ');
        let mut read = || {
            let at = parts.next()?.parse().ok()?;
            let word = parts.next()?.to_owned();
            Some((at, word, parts.next()?.parse().ok()?))
        };
        read().map(Some).ok_or_else(bad_cursor)
    }

    /// The problem with a cursor that no page has given.
    pub(crate) fn bad_cursor() -> Problem {
        bad_cursor()
    }

    /// The key of the last row seen, where keys are numbers.
    pub(crate) fn after_number(&self) -> Result<Option<i64>, Problem> {
        let Some(text) = self.after_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| bad_cursor())
    }
}

impl<T> Page<T> {
    /// A page, `limit` rows having been asked for. `key` names a row.
    pub(crate) fn new<K: ToString>(data: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let full = data.len() as i64 >= limit;
        let last = data.last().filter(|_| full);
        let next_cursor = last.map(|row| URL_SAFE_NO_PAD.encode(key(row).to_string()));
        Self { data, next_cursor }
    }

    /// A page of a list that stops where it has looked at enough. `next` is the key of the last row
    /// looked at; none where there is nothing more.
    pub(crate) fn until(data: Vec<T>, next: Option<String>) -> Self {
        Self { data, next_cursor: next.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }

    /// A list that is never cut into pages.
    pub(crate) fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }
}

/// The key of a row that is found by a time and an id, as [`Paging::after_time_and_id`] reads it.
pub(crate) fn time_and_id(at: Timestamp, id: impl Display) -> String {
    format!("{at} {id}")
}

fn bad_cursor() -> Problem {
    Problem::field("cursor", "invalid", "use next_cursor of the page before as it is")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn whatever_comes_as_a_cursor_or_a_limit_is_read_or_refused(
            cursor in proptest::option::of(prop_oneof![".{0,60}", "[A-Za-z0-9_-]{0,60}"]),
            limit in proptest::option::of(prop_oneof![".{0,12}", "-?[0-9]{1,12}"]),
        ) {
            let paging = Paging { limit, cursor };
            if let Ok(limit) = paging.limit() {
                prop_assert!((1..=1000).contains(&limit));
            }
            if let Ok(Some(text)) = paging.after_text() {
                prop_assert!(is_storable(&text));
            }
            let _ = (paging.after_id(), paging.after_number(), paging.after_time_and_id());
            let _ = (paging.after_number_and_channel(), paging.after_time_word_and_id());
        }
    }

    #[test]
    fn a_page_goes_on_behind_the_time_and_the_id_of_its_last_row() {
        let rows: Vec<(Timestamp, Uuid)> =
            (1..=2).map(|n| (Timestamp::UNIX_EPOCH, Uuid::from_u128(n))).collect();
        let page = Page::new(rows.clone(), 2, |(at, id)| time_and_id(*at, id));
        let paging = Paging { cursor: page.next_cursor, ..Paging::default() };
        assert_eq!(paging.after_time_and_id().ok(), Some(Some(rows[1])));

        let page = Page::new(rows, 3, |(at, id)| time_and_id(*at, id));
        assert_eq!(page.next_cursor, None);
    }
}
